import { EngineError } from "../../errors.ts";
import type { ToolCall } from "../../text/chat-types.ts";
import { type BuiltinTool, ToolFailure } from "../types.ts";
import { openPythonSession, type PythonSession, type PythonWorker } from "./python-session.ts";

export interface PythonToolOptions {
  /**
   * Folder that holds Pyodide's files (pyodide.mjs, pyodide.asm.mjs, pyodide.asm.wasm, python_stdlib.zip,
   * pyodide-lock.json, as in the npm package). A relative address is resolved against the page. Fetched at the
   * first call, not before.
   */
  readonly baseUrl: string;
  /** Longest run of a call. What runs longer is ended, and the interpreter's state with it. Default 120 000. */
  readonly timeoutMs?: number;
  /** Longest wait for Pyodide's files and its start. Default 120 000. */
  readonly startTimeoutMs?: number;
  /** Most memory of the interpreter. Default 512 MiB. */
  readonly memoryLimitBytes?: number;
  /** Characters of output that are kept. Default 20 000. */
  readonly maxOutputCharacters?: number;
  /** Keep variables and files from call to call, as the model expects. Default true. */
  readonly keepState?: boolean;
  /** Makes the worker, for pages whose bundler or Trusted Types policy wants to do so itself. */
  readonly worker?: () => PythonWorker;
}

/** The Python interpreter of one conversation. */
export interface PythonTool extends BuiltinTool {
  /** Ends the interpreter; the next call starts a new one. */
  reset(): void;
  /** Ends it for good. */
  dispose(): void;
}

const defaultTimeoutMs = 120_000;
const defaultMemoryLimitBytes = 512 * 2 ** 20;
const noOutput = "[WARN] No output available. Use print() to output anything to stdout to receive the output";

/**
 * Harmony's built-in python: runs the model's code by Pyodide in a worker of its own, cut off from network, storage
 * and page before any of that code runs. Returns output and the last expression's value as a notebook shows them.
 * Browsers only.
 */
export function createPythonTool(options: PythonToolOptions): PythonTool {
  const { timeoutMs = defaultTimeoutMs, startTimeoutMs = defaultTimeoutMs, keepState = true } = options;
  const limits = { startTimeoutMs, timeoutMs, maxOutputCharacters: options.maxOutputCharacters ?? 20_000 };
  let session: PythonSession | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let isDisposed = false;

  function reset(): void {
    session?.end();
    session = undefined;
  }

  async function runNow(code: string, signal: AbortSignal): Promise<string> {
    if (isDisposed) throw new EngineError("disposed", "The Python tool is used after dispose().");
    signal.throwIfAborted();
    session ??= openPythonSession({
      worker: (options.worker ?? defaultWorker)(),
      baseUrl: absoluteFolder(options.baseUrl),
      memoryLimitBytes: options.memoryLimitBytes ?? defaultMemoryLimitBytes,
      ...limits,
    });
    const { ending, output } = await session.run(code, signal);
    if (ending.type !== "done" || !keepState) reset();
    signal.throwIfAborted();
    if (ending.type === "failed") throw new ToolFailure(joined(output, `[ERROR] ${ending.message}`));
    return output.trim() === "" ? noOutput : output;
  }

  return {
    name: "python",
    // The tool's own limits come first: they say what became of the state.
    timeoutMs: timeoutMs + startTimeoutMs + 5000,
    run(call, { signal }) {
      const result = queue.then(() => runNow(sourceOf(call), signal));
      queue = result.catch(() => {});
      return result;
    },
    reset,
    dispose() {
      isDisposed = true;
      reset();
    },
  };
}

/** This exact expression is what bundlers look for. */
function defaultWorker(): Worker {
  return new Worker(new URL("./python-worker.ts", import.meta.url), {
    type: "module",
    name: "gpt-oss-python",
  });
}

function absoluteFolder(address: string): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return new URL(address.endsWith("/") ? address : `${address}/`, base).href;
}

/** The call's body is source text; a model that takes python for a function wraps it in JSON. */
function sourceOf({ arguments: body }: ToolCall): string {
  if (!/^\s*\{\s*"(?:code|source|script|input)"\s*:/.test(body)) return body;
  try {
    const [only, ...rest] = Object.values(JSON.parse(body) as Record<string, unknown>);
    return typeof only === "string" && rest.length === 0 ? only : body;
  } catch {
    return body;
  }
}

function joined(output: string, message: string): string {
  return output.trim() === "" ? message : `${output.trimEnd()}\n${message}`;
}
