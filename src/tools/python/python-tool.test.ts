import { describe, expect, it } from "vitest";
import { ToolFailure } from "../types.ts";
import type { PythonReply, PythonRequest } from "./protocol.ts";
import type { PythonWorker } from "./python-session.ts";
import { createPythonTool, type PythonToolOptions } from "./python-tool.ts";

interface FakeWorker extends PythonWorker {
  readonly requests: PythonRequest[];
  wasTerminated: boolean;
  fail(message: string): void;
}

type Script = (request: PythonRequest, reply: (reply: PythonReply) => void) => void;

function fakeWorker(script: Script): FakeWorker {
  const events = new EventTarget();
  const requests: PythonRequest[] = [];
  return {
    requests,
    wasTerminated: false,
    postMessage(request: PythonRequest) {
      requests.push(request);
      const reply = (data: PythonReply) => {
        if (!this.wasTerminated) events.dispatchEvent(new MessageEvent("message", { data }));
      };
      queueMicrotask(() => script(request, reply));
    },
    addEventListener: events.addEventListener.bind(events),
    terminate() {
      this.wasTerminated = true;
    },
    fail: (message) => events.dispatchEvent(Object.assign(new Event("error"), { message })),
  };
}

/** Echoes the code; some codes do something else. */
const echo: Script = (request, reply) => {
  if (request.type === "start") return reply({ type: "ready" });
  const { code } = request;
  if (code === "loop") return;
  if (code.startsWith("print ")) {
    for (const text of code.slice(6).split("|")) reply({ type: "output", stream: "stdout", text });
  }
  if (code === "error") {
    reply({ type: "output", stream: "stdout", text: "before\n" });
    reply({ type: "output", stream: "stderr", text: "ValueError\n" });
  }
  if (code === "crash") return reply({ type: "failed", message: "Stack overflow." });
  reply({ type: "done", isBroken: code === "break" });
};

function setUp(options: Partial<PythonToolOptions> = {}, script = echo) {
  const workers: FakeWorker[] = [];
  const tool = createPythonTool({
    baseUrl: "https://example.org/pyodide",
    timeoutMs: 30,
    ...options,
    worker: () => {
      const worker = fakeWorker(script);
      workers.push(worker);
      return worker;
    },
  });
  const run = (code: string, signal = new AbortController().signal) =>
    tool.run({ name: "python", arguments: code }, { signal });
  return { tool, workers, run };
}

describe("createPythonTool", () => {
  it("starts one worker at the first call, with the folder of Pyodide and the memory limit", async () => {
    const { workers, run } = setUp({ memoryLimitBytes: 1000 });
    expect(workers.length).toBe(0);
    expect(await Promise.all([run("print a"), run("print b")])).toEqual(["a", "b"]);
    expect(workers.length).toBe(1);
    expect(workers[0]?.requests).toEqual([
      { type: "start", baseUrl: "https://example.org/pyodide/", memoryLimitBytes: 1000 },
      { type: "run", code: "print a" },
      { type: "run", code: "print b" },
    ]);
  });

  it("returns stdout, then stderr; a warning where there is neither; cut where there is too much", async () => {
    const { run } = setUp({ maxOutputCharacters: 5 });
    expect(await run("error")).toBe("befor\n[cut: 2 more characters]\nValue\n[cut: 6 more characters]\n");
    expect(await run("print abc|defgh")).toBe("abcde\n[cut: 3 more characters]\n");
    expect(await run("x = 1")).toMatch(/^\[WARN\] No output available\./);
    expect(await setUp().run("error")).toBe("before\nValueError\n");
  });

  it("takes the code out of JSON that a model wraps it in, and leaves dictionaries alone", async () => {
    const { workers, run } = setUp();
    const dictionaries = ['{"code": 1}', '{"code": "a", "b": 2}', "{'code': 'x'}", '{"code": open'];
    await run('{"code": "print 1"}');
    for (const code of dictionaries) await run(code);
    const codes = workers[0]?.requests.flatMap((request) => (request.type === "run" ? [request.code] : []));
    expect(codes).toEqual(["print 1", ...dictionaries]);
  });

  it("ends what takes too long, says that the state is lost, and starts anew", async () => {
    const { workers, run } = setUp();
    await expect(run("loop")).rejects.toThrow(
      "[ERROR] Timed out after 0.03 seconds. Python will be started anew: variables and files are lost.",
    );
    expect(workers[0]?.wasTerminated).toBe(true);
    expect(await run("print again")).toBe("again");
    expect(workers.length).toBe(2);
  });

  it.each([
    ["crash", /^\[ERROR\] Python failed: Stack overflow\. Python will be started anew/],
    ["break", /^\[ERROR\] Python failed: .*broken.*lost\.$/],
  ])("starts anew after a %s", async (code, message) => {
    const { workers, run } = setUp();
    const error = await run(code).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ToolFailure);
    expect((error as Error).message).toMatch(message);
    expect(workers[0]?.wasTerminated).toBe(true);
    expect(await run("print a")).toBe("a");
  });

  it("tells of a worker that cannot be loaded, and of a start that never ends", async () => {
    const broken = setUp({}, () => {});
    const failing = broken.run("print a");
    await Promise.resolve();
    await Promise.resolve();
    broken.workers[0]?.fail("");
    await expect(failing).rejects.toThrow("could not be started: its worker could not be loaded");
    const silent = setUp({ startTimeoutMs: 20 }, () => {});
    await expect(silent.run("print a")).rejects.toThrow("did not start within 0.02 seconds");
  });

  it("ends a run whose request is aborted", async () => {
    const { workers, run } = setUp({ timeoutMs: 10_000 });
    await run("x");
    const abort = new AbortController();
    const running = run("loop", abort.signal);
    setTimeout(() => abort.abort(), 5);
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(workers[0]?.wasTerminated).toBe(true);
    await expect(run("print a", abort.signal)).rejects.toMatchObject({ name: "AbortError" });
    expect(workers.length).toBe(1);
  });

  it("takes a fresh worker for each call where no state is kept, and none after dispose", async () => {
    const { tool, workers, run } = setUp({ keepState: false });
    await run("a");
    await run("b");
    expect(workers.map(({ wasTerminated }) => wasTerminated)).toEqual([true, true]);
    tool.dispose();
    await expect(run("c")).rejects.toMatchObject({ code: "disposed" });
  });

  it("settles a run under way on reset and dispose", async () => {
    for (const end of ["reset", "dispose"] as const) {
      const { tool, run } = setUp({ timeoutMs: 60_000 });
      await run("a");
      const running = run("loop");
      setTimeout(() => tool[end](), 5);
      await expect(running).rejects.toThrow("Python failed: it was ended");
    }
  });

  it("forgets on reset", async () => {
    const { tool, workers, run } = setUp();
    await run("a");
    tool.reset();
    await run("b");
    expect(workers.map(({ wasTerminated }) => wasTerminated)).toEqual([true, false]);
  });
});
