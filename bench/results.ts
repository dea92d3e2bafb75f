import { bytesText, percent, perSecond } from "../src/bench/amounts.ts";
import type { BenchReport, DecodeRate, KernelResult } from "../src/bench/report.ts";
import { make, makeBar } from "./dom.ts";

/** A report as figures, a bar against the ceiling, and a chart of the kernels of a decoded token and of a prompt. */
export function showReport(target: HTMLElement, report: BenchReport): void {
  const kernels = report.kernels ?? [];
  target.replaceChildren(
    make("h2", `${report.info.model.id} on ${adapterName(report)}`),
    figures(report),
    ceilingTable(report),
    sizesTable(report),
    kernelChart("A decoded token, kernel by kernel", kernelsOf(kernels, "decode"), "bytes"),
    kernelChart("A prompt, kernel by kernel", kernelsOf(kernels, "prefill"), "operations"),
  );
  target.hidden = false;
}

function adapterName({ info: { adapter, variant } }: BenchReport): string {
  const name = [adapter.vendor, adapter.architecture, adapter.description].filter((part) => part !== "");
  return `${name.join(" ") || "this adapter"} (${variant}${adapter.isSoftware ? ", software" : ""})`;
}

function figures(report: BenchReport): HTMLElement {
  const { decode, decodeAtDepth, prefill, cpu, memory } = report;
  const rows: (readonly [string, string, string])[] = [
    ["Decode", rate(decode.tokensPerSecond), `${decode.tokens} tokens from an empty context`],
    ...(decodeAtDepth === undefined
      ? []
      : [
          [
            `Decode at ${decodeAtDepth.depth}`,
            rate(decodeAtDepth.tokensPerSecond),
            "tokens of context",
          ] as const,
        ]),
    ...prefill.map(
      ({ tokens, tokensPerSecond }) => ["Prompt", rate(tokensPerSecond), `${tokens} tokens`] as const,
    ),
    ["First token", `${report.timeToFirstTokenMs.toFixed(1)} ms`, "of a 32-token prompt"],
    [
      "A token",
      `${report.dispatchesPerToken} dispatches`,
      `${decode.gpuMs === undefined ? "" : `${decode.gpuMs.toFixed(1)} ms on the GPU, `}${cpu.encodeMs.toFixed(2)} ms to encode, ${cpu.submitMs.toFixed(2)} ms to submit`,
    ],
    [
      "GPU memory",
      bytesText(report.info.gpuBytes),
      `weights ${bytesText(memory.weightBytes)}, KV cache ${bytesText(memory.kvBytes)}`,
    ],
  ];
  const entries = rows.map(([name, value, note]) =>
    make("div", [make("dt", name), make("dd", [document.createTextNode(value), make("small", note)])]),
  );
  return make("dl", entries, "figures tiles");
}

function ceilingTable({ ceiling, decode, decodeAtDepth }: BenchReport): HTMLElement {
  const row = (name: string, { bytesPerSecond, shareOfCeiling, bytesPerToken }: DecodeRate) =>
    barRow(shareOfCeiling, [
      `${name}, ${bytesText(bytesPerToken)} a token`,
      perSecond(bytesPerSecond, "B"),
      percent(shareOfCeiling),
    ]);
  return table("Share of the read bandwidth", [
    barRow(1, ["what a kernel that only reads reaches", perSecond(ceiling.bytesPerSecond, "B"), "100 %"]),
    row("decode", decode),
    ...(decodeAtDepth === undefined ? [] : [row(`decode at ${decodeAtDepth.depth}`, decodeAtDepth)]),
  ]);
}

/** Where the kernels' sizes come from, by `EngineInfo.tuning.source`. */
const sources: Readonly<Record<BenchReport["info"]["tuning"]["source"], string>> = {
  table: "built in (table)",
  measured: "measured while loading (measured)",
  remembered: "measured in an earlier load (remembered)",
  forced: "as asked for (forced)",
};

function sizesTable({ info: { tuning } }: BenchReport): HTMLElement {
  const rows = Object.entries(tuning.sizes).map(([name, sizes]) => {
    const head = make("th", name);
    head.scope = "row";
    const text = Object.entries(sizes)
      .map(([size, value]) => `${size} ${value}`)
      .join(", ");
    return make("tr", [head, make("td", text)]);
  });
  return make(
    "table",
    [make("caption", `Kernel sizes: ${sources[tuning.source]}`), make("tbody", rows)],
    "bars sizes",
  );
}

const kernelsOf = (kernels: readonly KernelResult[], pass: KernelResult["pass"]) =>
  kernels.filter((kernel) => kernel.pass === pass).sort((a, b) => b.milliseconds - a.milliseconds);

/** Bars are shares of the longest. */
function kernelChart(
  caption: string,
  kernels: readonly KernelResult[],
  figure: "bytes" | "operations",
): HTMLElement {
  const longest = kernels[0]?.milliseconds ?? 1;
  return table(
    caption,
    kernels.map((kernel) =>
      barRow(kernel.milliseconds / longest, [
        kernel.kernel,
        `${kernel.dispatches} x`,
        `${kernel.milliseconds.toFixed(3)} ms`,
        figure === "bytes"
          ? perSecond(kernel.bytesPerSecond, "B")
          : perSecond(kernel.operationsPerSecond, "FLOP"),
      ]),
    ),
  );
}

function table(caption: string, rows: readonly HTMLElement[]): HTMLElement {
  return make("table", [make("caption", caption), make("tbody", rows)], "bars");
}

function barRow(share: number, [name, ...cells]: readonly [string, ...string[]]): HTMLElement {
  const head = make("th", name);
  head.scope = "row";
  const numbers = cells.map((cell) => make("td", cell, "number"));
  return make("tr", [head, make("td", [makeBar(share)], "chart"), ...numbers]);
}

const rate = (tokensPerSecond: number) =>
  `${tokensPerSecond < 100 ? tokensPerSecond.toFixed(1) : Math.round(tokensPerSecond)} tokens/s`;
