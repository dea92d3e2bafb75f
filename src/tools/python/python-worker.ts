// The script of the Python tool's worker: loads Pyodide, cuts itself off from the world, then runs what it is given.
import type { loadPyodide } from "pyodide";
import { limitMemory, lockDown } from "./lock-down.ts";
import type { PythonReply, PythonRequest } from "./protocol.ts";
import { runCellSource } from "./run-cell.ts";

type RunCell = (source: string) => Promise<void>;

// At hand before the lock takes it from the global scope.
const post = (globalThis.postMessage as (message: PythonReply) => void).bind(globalThis);
let runCell: Promise<RunCell> | undefined;

/** What nothing waits for any more is the interpreter's own failure. */
function fail(error: unknown): void {
  post({ type: "failed", message: error instanceof Error ? error.message : String(error) });
}
globalThis.addEventListener("error", (event) => fail(event.error ?? event.message));
globalThis.addEventListener("unhandledrejection", (event) => fail(event.reason));

globalThis.addEventListener("message", ({ data }: MessageEvent<PythonRequest>) => {
  if (data.type === "start") {
    runCell = start(data);
    runCell.then(() => post({ type: "ready" }), fail);
  } else if (data.type === "run") void run(data.code);
});

async function start({ baseUrl, memoryLimitBytes }: PythonRequest & { type: "start" }): Promise<RunCell> {
  const module: { loadPyodide: typeof loadPyodide } = await import(
    /* @vite-ignore */ /* webpackIgnore: true */ `${baseUrl}pyodide.mjs`
  );
  const pyodide = await module.loadPyodide({
    indexURL: baseUrl,
    // Python sees no JavaScript globals.
    jsglobals: Object.freeze(Object.create(null)),
    stdin: () => null,
  });
  pyodide.setStdout({ write: writer("stdout"), isatty: false });
  pyodide.setStderr({ write: writer("stderr"), isatty: false });
  pyodide.unregisterJsModule("js");
  pyodide.unregisterJsModule("pyodide_js");
  const cell = pyodide.runPython(runCellSource, { globals: pyodide.toPy({}) }) as RunCell;
  limitMemory(memoryLimitBytes);
  const left = lockDown(globalThis);
  if (left.length > 0)
    throw new Error(`This browser keeps ${left.join(", ")} in a worker, so code cannot be isolated.`);
  return cell;
}

function writer(stream: "stdout" | "stderr"): (bytes: Uint8Array) => number {
  const decoder = new TextDecoder();
  return (bytes) => {
    const text = decoder.decode(bytes, { stream: true });
    if (text !== "") post({ type: "output", stream, text });
    return bytes.length;
  };
}

async function run(code: string): Promise<void> {
  let isBroken = false;
  try {
    await (await runCell)?.(code);
  } catch (error) {
    // Python's own errors are printed by the cell: this is the interpreter's.
    isBroken = true;
    post({ type: "output", stream: "stderr", text: `The interpreter failed: ${String(error)}\n` });
  }
  post({ type: "done", isBroken });
}
