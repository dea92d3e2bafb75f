import { expect, test } from "vitest";
import { optionalFeatures } from "../../src/gpu/gpu.ts";
import type { CapabilityReport } from "../../src/index.ts";
import { fakeAdapter } from "../../src/testing/fake-engine.ts";
import { adapterName, capabilityView, usedFeatures } from "./capability-view.ts";

const report: CapabilityReport = {
  canLoad: true,
  adapter: fakeAdapter,
  variant: "subgroups",
  model: {
    ...{ numLayers: 24, numExperts: 32, hiddenSize: 2880, vocabSize: 201088 },
    ...{ expertFormat: "mxfp4", maxPositionEmbeddings: 131072 },
  },
  contextLength: 8192,
  kvFormat: "f32",
  dense: "bf16",
  needs: { weightBytes: 13.8e9, kvBytes: 0.4e9, activationBytes: 0.1e9, totalBytes: 14.3e9 },
  downloadBytes: 13.8e9,
  longestContext: 65536,
  problems: [],
};
const problem = { severity: "warns", code: "slow", message: "It is slow.", remedy: "Wait." } as const;

test("a report without problems claims no more than is known", () => {
  const view = capabilityView(report, false);
  expect(view).toMatchObject({ tone: "good", problems: [] });
  expect(view.verdict).toBe("nothing is in the way, if 14.3 GB of GPU memory are free");
  expect(capabilityView(report, true).verdict).toBe("yes, with 14.3 GB of GPU memory");
});

test("its facts have memory by what for, context, download, adapter, limits and features", () => {
  const facts = new Map(capabilityView(report, false).facts);
  expect(facts.get("GPU memory")).toBe("14.3 GB: weights 13.8 GB, KV cache 400 MB, activations 100 MB");
  expect(facts.get("Context")).toBe("8,192 tokens; at most 65,536 fit here; the model takes 131,072");
  expect(facts.get("Download")).toBe("13.8 GB");
  expect(facts.get("Limits")).toContain("binding 2.1 GB");
  expect(facts.get("Features")).toBe("subgroups");
});

test("what warns and what blocks decides the tone; every problem comes with what helps", () => {
  const warned = capabilityView({ ...report, problems: [problem] }, false);
  expect(warned).toMatchObject({ tone: "warns", problems: [{ message: "It is slow.", remedy: "Wait." }] });
  const none = {
    ...report,
    canLoad: false,
    adapter: undefined,
    variant: undefined,
    longestContext: undefined,
  };
  const blocked = capabilityView({ ...none, problems: [{ ...problem, severity: "blocks" }] }, true);
  expect(blocked).toMatchObject({ tone: "blocks", verdict: "no" });
  expect(new Map(blocked.facts).get("Adapter")).toBe("none");
});

test("too little room to store it is said at once, and as what it is: an estimate", () => {
  const room = { ...problem, code: "storage-full" } as const;
  const { tone, verdict } = capabilityView({ ...report, problems: [problem, room] }, true);
  expect(tone).toBe("warns");
  expect(verdict).toBe(
    "perhaps not: too little room to store 13.8 GB, by the browser's estimate; takes 14.3 GB of GPU memory",
  );
});

test("features that the engine uses are told from the adapter's others", () => {
  expect(usedFeatures).toEqual(optionalFeatures);
  const adapter = { ...fakeAdapter, features: ["bgra8unorm-storage", "shader-f16", "subgroups"] };
  const { facts, otherFeatures } = capabilityView({ ...report, adapter }, true);
  expect(new Map(facts).get("Features")).toBe("shader-f16, subgroups");
  expect(otherFeatures).toEqual(["bgra8unorm-storage"]);
});

test.each([
  [{ vendor: "nvidia", architecture: "ampere", description: "", isSoftware: false }, "nvidia ampere"],
  [
    { vendor: "google", architecture: "", description: "SwiftShader", isSoftware: true },
    "SwiftShader (software, slow)",
  ],
  [{ vendor: "", architecture: "", description: "", isSoftware: false }, "unnamed adapter"],
])("an adapter is named by what it tells", (adapter, name) => expect(adapterName(adapter)).toBe(name));
