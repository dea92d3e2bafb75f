import type { EngineInfo } from "../runtime/types.ts";
import { bytesText, percent, perSecond } from "./amounts.ts";
import type {
  BenchReport,
  DecodeRate,
  GrammarRate,
  KernelReport,
  KernelTime,
  PassProfile,
} from "./report.ts";

/** A report as lines for people. */
export function benchTable(report: BenchReport): string {
  const { info, ceiling, memory, cpu, decode, decodeAtDepth, decodeByGrammar, prefill } = report;
  const rows: readonly (readonly [string, string])[] = [
    ["adapter", adapterLine(info)],
    [
      "model",
      `${info.model.id}, context ${info.contextLength}, KV ${info.kvFormat}, dense ${info.dense}, loaded in ${report.loadSeconds.toFixed(1)} s`,
    ],
    [
      "memory",
      `${bytesText(info.gpuBytes)} on the GPU: weights ${bytesText(memory.weightBytes)}, KV cache ${bytesText(memory.kvBytes)}, other ${bytesText(memory.otherBytes)}`,
    ],
    [
      "ceiling",
      `${perSecond(ceiling.bytesPerSecond, "B")} read bandwidth, over ${(ceiling.bufferBytes / 2 ** 20).toFixed(0)} MiB by ${ceiling.method}; ${perSecond(ceiling.operationsPerSecond, "FLOP")} in f32`,
    ],
    ["sizes", tuningLine(info)],
    ["decode", decodeLine(decode)],
    ...(decodeAtDepth === undefined ? [] : [["", decodeLine(decodeAtDepth)] as const]),
    ...(decodeByGrammar === undefined ? [] : [["", grammarLine(decodeByGrammar)] as const]),
    [
      "a token",
      `${report.dispatchesPerToken} dispatches${gpuTimes(report)}, CPU ${cpu.encodeMs.toFixed(2)} ms to encode and ${cpu.submitMs.toFixed(2)} ms to submit`,
    ],
    ...prefill.map(
      ({ tokens, tokensPerSecond }) =>
        ["prefill", `${tokensPerSecond.toFixed(1)} tokens/s, ${tokens} tokens`] as const,
    ),
    ["first", `${report.timeToFirstTokenMs.toFixed(1)} ms to the first token of a 32-token prompt`],
    [
      "kernels",
      `${report.pipelines} pipelines; ${report.kernelsChecked.length} kernels agree with their references here`,
    ],
  ];
  const lines = rows.map(([name, text]) => `${name.padEnd(9)} ${text}`);
  return [...lines, ...(report.profiles ?? []).map(profileTable)].join("\n");
}

const adapterLine = ({ adapter, variant, mxfp4, matrices, activations }: EngineInfo): string =>
  `${adapter.vendor} ${adapter.architecture} ${adapter.description} (${variant}, MXFP4 through ${mxfp4 === "half" ? "f16" : "f32 bits"}${activations === "int8" ? ", int8 activations" : ""}${matrices ? ", subgroup matrices" : ""}${adapter.isSoftware ? ", software" : ""})`;

/** `table: linearVec 4x128 …`, the kernels' sizes in the order of their rows. */
const tuningLine = ({ tuning }: EngineInfo): string =>
  `${tuning.source}${tuning.seconds === undefined ? "" : ` in ${tuning.seconds.toFixed(1)} s`}: ${Object.entries(
    tuning.sizes,
  )
    .map(([row, sizes]) => `${row} ${Object.values(sizes).join("x")}`)
    .join(", ")}`;

function gpuTimes({ decode, decodeAtDepth }: BenchReport): string {
  const times = [decode.gpuMs, decodeAtDepth?.gpuMs].filter((ms) => ms !== undefined);
  return times.length === 0 ? "" : `, ${times.map((ms) => ms.toFixed(3)).join(" and ")} ms on the GPU`;
}

const decodeLine = (rate: DecodeRate): string =>
  [
    `${rate.tokensPerSecond.toFixed(1)} tokens/s over ${rate.tokens} tokens`,
    rate.depth === 0 ? "from an empty context" : `at a depth of ${rate.depth} tokens`,
    `(${bytesText(rate.bytesPerToken)} a token, ${perSecond(rate.bytesPerSecond, "B")}, ${percent(rate.shareOfCeiling)} of the ceiling)`,
  ].join(" ");

const grammarLine = ({ tokensPerSecond, tokens, shareOfFree, maskMs }: GrammarRate): string =>
  `${tokensPerSecond.toFixed(1)} tokens/s over ${tokens} tokens by a JSON schema (${percent(shareOfFree)} of the free rate; a mask comes in ${maskMs.toFixed(2)} ms)`;

/** Kernels of a pass, longest first. */
export function profileTable({ pass, numTokens, position, milliseconds, kernels }: PassProfile): string {
  const what = pass === "decode" ? `decode at depth ${position}` : `prefill of ${numTokens} tokens`;
  return [
    `${what}: ${milliseconds.toFixed(3)} ms (share of the time, then rates with their shares of the ceilings)`,
    ...kernels.map((kernel) => kernelLine(kernel, milliseconds)),
  ].join("\n");
}

function kernelLine(kernel: KernelTime, totalMs: number): string {
  const { dispatches, milliseconds, bytesPerSecond, operationsPerSecond, shareOfCeiling, shareOfArithmetic } =
    kernel;
  return [
    `  ${kernel.kernel.padEnd(28)}`,
    `${String(dispatches).padStart(4)} x`,
    `${milliseconds.toFixed(3).padStart(9)} ms`,
    `${percent(milliseconds / totalMs).padStart(8)}`,
    `${perSecond(bytesPerSecond, "B").padStart(11)}`,
    `${percent(shareOfCeiling).padStart(8)}`,
    `${perSecond(operationsPerSecond, "FLOP").padStart(14)}`,
    `${percent(shareOfArithmetic).padStart(8)}`,
  ].join(" ");
}

/** Kernels timed alone, one line each. */
export function kernelTable({ info, ceiling, kernels }: KernelReport): string {
  const rows = kernels.map((kernel) =>
    [
      `${kernel.kernel.padEnd(28)}`,
      `${kernel.pass.padEnd(7)} ${String(kernel.numTokens).padStart(4)} token${kernel.numTokens === 1 ? " " : "s"}`,
      `${kernel.microsecondsPerDispatch.toFixed(1).padStart(9)} us`,
      `${perSecond(kernel.bytesPerSecond, "B").padStart(11)}`,
      `${percent(kernel.shareOfCeiling).padStart(8)}`,
      `${perSecond(kernel.operationsPerSecond, "FLOP").padStart(14)}`,
      `${percent(kernel.shareOfArithmetic).padStart(8)}`,
    ].join(" "),
  );
  return [
    `adapter   ${adapterLine(info)}`,
    `model     ${info.model.id}`,
    `ceiling   ${perSecond(ceiling.bytesPerSecond, "B")} read bandwidth, ${perSecond(ceiling.operationsPerSecond, "FLOP")} in f32; shares of them stand behind each rate`,
    ...rows,
  ].join("\n");
}
