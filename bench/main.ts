// The benchmark page: a form, a worker, and what it found.
import type { BenchReport } from "../src/bench/report.ts";
import { benchShapes, layersOf } from "../src/bench/shapes.ts";
import { byId, make } from "./dom.ts";
import type { FromWorker, PageRequest, ToWorker } from "./protocol.ts";
import { showReport } from "./results.ts";

const labels: Readonly<Record<PageRequest["shape"], string>> = {
  nano: "gpt-oss-nano (15 MB)",
  toy: "toy (does it work?)",
  "20b": "shape of gpt-oss-20b",
  "120b": "shape of gpt-oss-120b",
};
const shapes: readonly PageRequest["shape"][] = ["nano", ...benchShapes];
/** Of the model that lies beside the chat page. */
const nanoFolder = "../models/gpt-oss-nano/";
/** A worker that does not end by itself after a stop is ended. */
const patienceMs = 2000;

const form = byId("bench-form", HTMLFormElement);
const shape = byId("shape", HTMLSelectElement);
const layers = byId("layers", HTMLSelectElement);
const dense = byId("dense", HTMLSelectElement);
const runButton = byId("run", HTMLButtonElement);
const stopButton = byId("stop", HTMLButtonElement);
const copyButton = byId("copy", HTMLButtonElement);
const status = byId("status", HTMLElement);
const results = byId("results", HTMLElement);

let worker: Worker | undefined;
let report: BenchReport | undefined;

function say(state: "idle" | "running" | "done" | "failed", sentence: string): void {
  status.dataset.state = state;
  status.textContent = sentence;
}

function fillLayers(): void {
  const chosen = chosenShape();
  const most = chosen === "nano" ? 0 : layersOf(chosen);
  const counts = [1, 2, 4, 8, 12, 24, 36].filter((count) => count < most);
  const options = counts.map((count) => new Option(String(count), String(count)));
  layers.replaceChildren(
    new Option(most === 0 ? "all" : `${most}, or as many as fit`, String(most)),
    ...options,
  );
  layers.disabled = most === 0;
}

const chosenShape = (): PageRequest["shape"] => shapes.find((name) => name === shape.value) ?? "nano";
const numberOf = (id: string) => byId(id, HTMLInputElement).valueAsNumber;

function readRequest(): PageRequest {
  return {
    shape: chosenShape(),
    nanoUrl: new URL(nanoFolder, location.href).href,
    layers: Number(layers.value),
    dense: dense.value === "int8" ? "int8" : "bf16",
    promptTokens: numberOf("prompt"),
    decodeTokens: numberOf("tokens"),
    depth: numberOf("depth"),
    runs: numberOf("runs"),
  };
}

function start(): void {
  if (worker !== undefined) return;
  const started = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker = started;
  report = undefined;
  results.hidden = true;
  setRunning(true);
  say("running", "Starting …");
  started.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => receive(started, data));
  started.addEventListener("error", (event) => {
    event.preventDefault();
    end(started, "failed", `The worker failed: ${event.message || "it could not be started"}.`);
  });
  started.postMessage({ type: "run", request: readRequest() } satisfies ToWorker);
}

function receive(from: Worker, message: FromWorker): void {
  if (from !== worker) return;
  if (message.type === "progress") {
    say("running", `${message.sentence} …`);
  } else if (message.type === "report") {
    report = message.report;
    showReport(results, message.report);
    end(from, "done", "Done.");
    status.scrollIntoView({ block: "start" });
  } else if (message.error.code === "aborted") {
    end(from, "idle", "Stopped.");
  } else {
    end(from, "failed", message.error.message);
  }
}

function end(ended: Worker, state: "idle" | "done" | "failed", sentence: string): void {
  if (ended !== worker) return;
  ended.terminate();
  worker = undefined;
  setRunning(false);
  say(state, sentence);
}

function stop(): void {
  const stopping = worker;
  if (stopping === undefined) return;
  stopping.postMessage({ type: "stop" } satisfies ToWorker);
  say("running", "Stopping …");
  setTimeout(() => end(stopping, "idle", "Stopped."), patienceMs);
}

function setRunning(isRunning: boolean): void {
  runButton.disabled = isRunning;
  stopButton.hidden = !isRunning;
  copyButton.hidden = report === undefined;
}

async function copy(): Promise<void> {
  if (report === undefined) return;
  try {
    await navigator.clipboard.writeText(JSON.stringify(report, undefined, 2));
    say("done", "Copied.");
  } catch {
    // No permission: the text is shown to be copied by hand.
    results.append(make("pre", JSON.stringify(report), "json"));
    say(
      "done",
      "The browser does not let this page write to the clipboard; the JSON is at the end of the page.",
    );
  }
}

/** The address may set every field, such as ?shape=20b&tokens=64. */
function applyAddress(): void {
  const parameters = new URLSearchParams(location.search);
  shape.value = shapes.find((name) => name === parameters.get("shape")) ?? "nano";
  fillLayers();
  dense.value = parameters.get("dense") === "int8" ? "int8" : "bf16";
  for (const id of ["prompt", "tokens", "depth", "runs"]) {
    const text = parameters.get(id);
    if (text !== null && /^\d+$/.test(text)) byId(id, HTMLInputElement).value = text;
  }
}

shape.replaceChildren(...shapes.map((name) => new Option(labels[name], name)));
dense.replaceChildren(new Option("bf16, as published", "bf16"), new Option("int8", "int8"));
applyAddress();
shape.addEventListener("change", fillLayers);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
stopButton.addEventListener("click", stop);
copyButton.addEventListener("click", () => void copy());
if (!("gpu" in navigator))
  say("failed", "This browser has no WebGPU: use Chrome or Edge 134 or newer, on a secure page.");
