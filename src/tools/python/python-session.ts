import type { PythonReply, PythonRequest } from "./protocol.ts";

/** What the session needs of a Worker. */
export type PythonWorker = Pick<Worker, "postMessage" | "addEventListener" | "terminate">;

export interface PythonSessionOptions {
  readonly worker: PythonWorker;
  readonly baseUrl: string;
  readonly memoryLimitBytes: number;
  readonly startTimeoutMs: number;
  readonly timeoutMs: number;
  readonly maxOutputCharacters: number;
}

/** How a run ended: `failed` where the interpreter is of no more use. */
export type RunEnding = { readonly type: "done" } | { readonly type: "failed"; readonly message: string };

/** An interpreter in a worker, from its start to its end. */
export interface PythonSession {
  /** Runs code; one run at a time. Settles in any case, at the latest when a limit is reached or the signal fires. */
  run(code: string, signal: AbortSignal): Promise<{ readonly ending: RunEnding; readonly output: string }>;
  /** Ends the worker; a run under way settles as failed. */
  end(): void;
}

type OutputReply = Extract<PythonReply, { type: "output" }>;

/** What the model is told of a request that came to nothing. */
interface EndingTexts {
  readonly late: string;
  failed(why: string): string;
}

/** Starts the interpreter; the first run waits for it. */
export function openPythonSession(options: PythonSessionOptions): PythonSession {
  const { worker, baseUrl, memoryLimitBytes, startTimeoutMs, timeoutMs, maxOutputCharacters } = options;
  let onReply: (reply: PythonReply) => void = () => {};
  let started: Promise<RunEnding> | undefined;
  const post = (request: PythonRequest): void => worker.postMessage(request);
  worker.addEventListener("message", (event) => onReply((event as MessageEvent<PythonReply>).data));
  worker.addEventListener("error", (event) => {
    const { message } = event as ErrorEvent;
    onReply({ type: "failed", message: message || "its worker could not be loaded" });
  });

  /** Waits for the reply that ends a request, collecting output on the way. */
  function ended(limitMs: number, texts: EndingTexts, onOutput: (reply: OutputReply) => void) {
    return new Promise<RunEnding>((resolve) => {
      const finish = (ending: RunEnding): void => {
        clearTimeout(timer);
        onReply = () => {};
        resolve(ending);
      };
      const fail = (message: string): void => finish({ type: "failed", message });
      const timer = setTimeout(() => fail(texts.late), limitMs);
      onReply = (reply) => {
        if (reply.type === "output") onOutput(reply);
        else if (reply.type === "failed") fail(texts.failed(reply.message));
        else if (reply.type === "done" && reply.isBroken) fail(texts.failed("the interpreter is broken"));
        else finish({ type: "done" });
      };
    });
  }

  function start(): Promise<RunEnding> {
    const texts = {
      late: `Python did not start within ${startTimeoutMs / 1000} seconds.`,
      failed: (why: string) => `Python could not be started: ${why}`,
    };
    const ready = ended(startTimeoutMs, texts, () => {});
    post({ type: "start", baseUrl, memoryLimitBytes });
    return ready;
  }

  async function runCode(code: string, output: Output): Promise<RunEnding> {
    started ??= start();
    const ending = await started;
    if (ending.type === "failed") return ending;
    const lost = "Python will be started anew: variables and files are lost.";
    const texts = {
      late: `Timed out after ${timeoutMs / 1000} seconds. ${lost}`,
      failed: (why: string) => `Python failed: ${why.replace(/\.$/, "")}. ${lost}`,
    };
    const done = ended(timeoutMs, texts, output.add);
    post({ type: "run", code });
    return done;
  }

  return {
    async run(code, signal) {
      const output = createOutput(maxOutputCharacters);
      let stop = (): void => {};
      const aborted = new Promise<RunEnding>((resolve) => {
        stop = () => resolve({ type: "failed", message: "The run was ended from outside." });
        signal.addEventListener("abort", stop, { once: true });
      });
      const ending = await Promise.race([runCode(code, output), aborted]);
      signal.removeEventListener("abort", stop);
      return { ending, output: output.text() };
    },
    end() {
      worker.terminate();
      onReply({ type: "failed", message: "it was ended" });
    },
  };
}

interface Output {
  add(reply: { readonly stream: "stdout" | "stderr"; readonly text: string }): void;
  text(): string;
}

/** Output as the reference tool gives it: what went to stdout, then what went to stderr; each cut at the limit. */
function createOutput(maxCharacters: number): Output {
  const streams = { stdout: "", stderr: "" };
  const numCut = { stdout: 0, stderr: 0 };
  const shown = (stream: "stdout" | "stderr"): string => {
    const cut = numCut[stream];
    return cut === 0 ? streams[stream] : `${streams[stream]}\n[cut: ${cut} more characters]\n`;
  };
  return {
    add({ stream, text }) {
      const kept = text.slice(0, Math.max(0, maxCharacters - streams[stream].length));
      streams[stream] += kept;
      numCut[stream] += text.length - kept.length;
    },
    text() {
      const [out, err] = [shown("stdout"), shown("stderr")];
      if (err === "") return out;
      return out === "" ? err : `${out.trimEnd()}\n${err}`;
    },
  };
}
