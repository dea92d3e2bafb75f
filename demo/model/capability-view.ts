import type { CapabilityProblem, CapabilityReport } from "../../src/index.ts";
import { formatBytes } from "../format.ts";

/** A capability report for people. */
export interface CapabilityView {
  readonly tone: "good" | "warns" | "blocks";
  /** One line: whether it runs, and the memory it takes. */
  readonly verdict: string;
  readonly problems: readonly Pick<CapabilityProblem, "severity" | "message" | "remedy">[];
  /** What the adapter has besides, which the engine does not use. */
  readonly otherFeatures: readonly string[];
  readonly facts: readonly (readonly [term: string, description: string])[];
}

/** The adapter's optional features that the engine asks for. */
export const usedFeatures: readonly string[] = [
  "subgroups",
  "timestamp-query",
  "shader-f16",
  "chromium-experimental-subgroup-matrix",
];

export function capabilityView(report: CapabilityReport, knowsMemory: boolean): CapabilityView {
  const { canLoad, needs, problems, adapter, downloadBytes } = report;
  const tone = !canLoad ? "blocks" : problems.length > 0 ? "warns" : "good";
  const memory = `${formatBytes(needs.totalBytes)} of GPU memory`;
  const yes = knowsMemory ? `yes, with ${memory}` : `nothing is in the way, if ${memory} are free`;
  const lacksRoom = problems.some(({ code }) => code === "storage-full");
  const perhaps = lacksRoom
    ? `perhaps not: too little room to store ${formatBytes(downloadBytes)}, by the browser's estimate; takes ${memory}`
    : `perhaps, with ${memory}`;
  const verdict = { blocks: "no", warns: perhaps, good: yes }[tone];
  const otherFeatures = (adapter?.features ?? []).filter((name) => !usedFeatures.includes(name));
  return { tone, verdict, problems, otherFeatures, facts: [...modelFacts(report), ...adapterFacts(report)] };
}

function modelFacts(report: CapabilityReport): CapabilityView["facts"] {
  const { needs, model, contextLength, longestContext, kvFormat, dense, downloadBytes } = report;
  const parts = [
    `weights ${formatBytes(needs.weightBytes)}`,
    `KV cache ${formatBytes(needs.kvBytes)}`,
    `activations ${formatBytes(needs.activationBytes)}`,
  ];
  const longest = longestContext === undefined ? "" : `; at most ${count(longestContext)} fit here`;
  return [
    ["GPU memory", `${formatBytes(needs.totalBytes)}: ${parts.join(", ")}`],
    [
      "Context",
      `${count(contextLength)} tokens${longest}; the model takes ${count(model.maxPositionEmbeddings)}`,
    ],
    ["Formats", `experts ${model.expertFormat}, dense weights ${dense}, KV cache ${kvFormat}`],
    ["Download", formatBytes(downloadBytes)],
  ];
}

function adapterFacts({ adapter, variant }: CapabilityReport): CapabilityView["facts"] {
  if (adapter === undefined) return [["Adapter", "none"]];
  const { limits } = adapter;
  return [
    ["Adapter", adapterName(adapter)],
    [
      "Limits",
      [
        `buffer ${formatBytes(limits.maxBufferSize)}`,
        `binding ${formatBytes(limits.maxStorageBufferBindingSize)}`,
        `workgroup memory ${formatBytes(limits.maxComputeWorkgroupStorageSize)}`,
        `${count(limits.maxComputeInvocationsPerWorkgroup)} invocations a workgroup`,
      ].join(", "),
    ],
    ["Kernels", `${variant}`],
    ["Features", adapter.features.filter((name) => usedFeatures.includes(name)).join(", ") || "none"],
  ];
}

/** An adapter in a few words. */
export function adapterName(adapter: {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly isSoftware: boolean;
}): string {
  const { vendor, architecture, description, isSoftware } = adapter;
  const name =
    description || [vendor, architecture].filter((part) => part !== "").join(" ") || "unnamed adapter";
  return isSoftware ? `${name} (software, slow)` : name;
}

const count = (value: number): string => value.toLocaleString("en-US");
