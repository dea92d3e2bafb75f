import { afterEach, describe, expect, test } from "vitest";
import { EngineError } from "../errors.ts";
import type { ChatEvent, Engine } from "../runtime/types.ts";
import { failure } from "../testing/failure.ts";
import {
  aborted,
  createFakeEngine,
  fakeInfo,
  fakeServices,
  fakeStats,
  fakeStoredModels,
} from "../testing/fake-engine.ts";
import { createFakeWorker, type FakeWorker } from "../testing/fake-worker.ts";
import type { ByteProgress } from "../weights/types.ts";
import type { HostServices } from "../worker/services.ts";
import { createWorkerEngine, type WorkerEngine, type WorkerEngineOptions } from "./worker-engine.ts";

const source = { baseUrl: "https://models.test/tiny/" };
const question = { messages: [{ role: "user", content: "?" }] } as const;
const engines: WorkerEngine[] = [];

afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

function start(
  engine: Partial<Engine> = {},
  services: Partial<HostServices> = {},
  options: WorkerEngineOptions = {},
): { engine: WorkerEngine; fake: FakeWorker } {
  const fake = createFakeWorker(fakeServices(createFakeEngine(engine), services));
  const made = createWorkerEngine({ ...options, worker: fake.worker });
  engines.push(made);
  return { engine: made, fake };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A chat that says one word and then waits for its abort. */
async function* waitingChat(request: { readonly signal?: AbortSignal }): AsyncGenerator<ChatEvent> {
  yield { type: "content", text: "wait" };
  await aborted(request.signal);
  yield { type: "done", finishReason: "aborted", stats: fakeStats };
}

describe("load", () => {
  test("reports every progress step before it resolves, and keeps what is loaded as info", async () => {
    const { engine } = start();
    const seen: ByteProgress[] = [];
    const info = await engine.load(source, { onProgress: (progress) => seen.push(progress) });
    expect(info).toEqual(fakeInfo);
    expect(engine.info).toEqual(fakeInfo);
    expect(seen.map(({ phase, loadedBytes }) => [phase, loadedBytes])).toEqual([
      ["download", 50],
      ["download", 100],
      ["load", 100],
    ]);
  });

  test("an error keeps its code, message and details across the worker", async () => {
    const thrown = new EngineError(
      "checkpoint-invalid",
      "model.norm.weight has shape [64]; expected [128].",
      {
        details: { tensor: "model.norm.weight", expected: [128], got: [64] },
      },
    );
    const { engine } = start({}, { openModel: () => Promise.reject(thrown) });
    const error = await failure(engine.load(source));
    expect(error.code).toBe("checkpoint-invalid");
    expect(error.message).toBe(thrown.message);
    expect(error.details).toEqual(thrown.details);
  });

  test("a foreign error becomes internal", async () => {
    const { engine } = start({}, { openModel: () => Promise.reject(new TypeError("oops")) });
    const error = await failure(engine.load(source));
    expect(error.code).toBe("internal");
    expect(error.message).toBe("oops");
  });

  test("an engine that could not start is started again at the next load", async () => {
    let attempts = 0;
    const createEngine = async () => {
      attempts += 1;
      if (attempts === 1) throw new EngineError("adapter-unavailable", "no adapter");
      return createFakeEngine();
    };
    const { engine } = start({}, { createEngine });
    expect((await failure(engine.load(source))).code).toBe("adapter-unavailable");
    expect(await engine.load(source)).toEqual(fakeInfo);
  });

  test("an abort reaches the download", async () => {
    const openModel: HostServices["openModel"] = async (_source, { signal }) => {
      await aborted(signal);
      throw new EngineError("aborted", "The request was aborted.");
    };
    const { engine } = start({}, { openModel });
    const controller = new AbortController();
    const loading = engine.load(source, { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    expect((await failure(loading)).code).toBe("aborted");
  });

  test("a signal that fired before the call aborts it too", async () => {
    const openModel: HostServices["openModel"] = async (_source, { signal }) => {
      await aborted(signal);
      throw new EngineError("aborted", "The request was aborted.");
    };
    const { engine } = start({}, { openModel });
    expect((await failure(engine.load(source, { signal: AbortSignal.abort() }))).code).toBe("aborted");
  });

  test("a failed load leaves nothing loaded, a refused one leaves the model", async () => {
    let isBroken = false;
    const { engine } = start(
      { chat: waitingChat },
      {
        openModel: async (wanted, options) => {
          if (isBroken) throw new EngineError("download-failed", "404");
          return fakeServices(createFakeEngine()).openModel(wanted, options);
        },
      },
    );
    await engine.load(source);
    const chat = engine.chat(question)[Symbol.asyncIterator]();
    await chat.next();
    expect((await failure(engine.load(source))).code).toBe("busy");
    expect(engine.info).toEqual(fakeInfo);
    await chat.return?.();
    isBroken = true;
    expect((await failure(engine.load(source))).code).toBe("download-failed");
    expect(engine.info).toBeUndefined();
  });
});

describe("chat", () => {
  test("delivers every event in order", async () => {
    const { engine } = start();
    await engine.load(source);
    const events = await collect(engine.chat(question));
    expect(events.map(({ type }) => type)).toEqual(["reasoning", "content", "done"]);
  });

  test("sends tokens that come together in few messages", async () => {
    const count = 500;
    const { engine, fake } = start({
      async *chat() {
        for (let i = 0; i < count; i += 1) yield { type: "content", text: String(i) } as const;
      },
    });
    await engine.load(source);
    let batches = 0;
    const { chat } = fake.host.api;
    Object.assign(fake.host.api, {
      chat: (call: number, request: never, deliver: (batch: readonly ChatEvent[]) => Promise<void>) =>
        chat(call, request, (batch) => {
          batches += 1;
          return deliver(batch);
        }),
    });
    const events = await collect(engine.chat(question));
    expect(events.map((event) => (event.type === "content" ? event.text : ""))).toEqual(
      Array.from({ length: count }, (_, i) => String(i)),
    );
    expect(batches).toBeGreaterThan(0);
    expect(batches).toBeLessThan(20);
  });

  test("an abort by signal ends with a done event", async () => {
    const { engine } = start({ chat: waitingChat });
    await engine.load(source);
    const controller = new AbortController();
    const events: ChatEvent[] = [];
    for await (const event of engine.chat({ ...question, signal: controller.signal })) {
      events.push(event);
      controller.abort();
    }
    expect(events.at(-1)).toMatchObject({ type: "done", finishReason: "aborted" });
  });

  test("leaving the loop aborts, and the next request is not refused", async () => {
    let wasAborted = false;
    const { engine } = start({
      async *chat({ signal }) {
        yield { type: "content", text: "a" };
        await aborted(signal);
        wasAborted = true;
      },
    });
    await engine.load(source);
    for await (const _ of engine.chat(question)) break;
    expect(wasAborted).toBe(true);
    expect(await engine.logits([1, 2], "prefill")).toEqual(Float32Array.of(1, 2));
  });

  test("a second request while one runs is refused with busy", async () => {
    const { engine } = start({ chat: waitingChat });
    await engine.load(source);
    const first = engine.chat(question)[Symbol.asyncIterator]();
    await first.next();
    const error = await failure(collect(engine.chat(question)));
    expect(error.code).toBe("busy");
    await first.return?.();
  });

  test("an error in the middle comes after what was said before it", async () => {
    const { engine } = start({
      async *chat() {
        yield { type: "content", text: "so far" };
        throw new EngineError("device-lost", "gone", { details: { reason: "unknown" } });
      },
    });
    await engine.load(source);
    const seen: ChatEvent[] = [];
    const error = await failure(
      (async () => {
        for await (const event of engine.chat(question)) seen.push(event);
      })(),
    );
    expect(seen).toEqual([{ type: "content", text: "so far" }]);
    expect(error.code).toBe("device-lost");
    expect(error.details).toEqual({ reason: "unknown" });
  });

  test("is refused where nothing is loaded", async () => {
    const { engine } = start();
    expect((await failure(collect(engine.chat(question)))).code).toBe("not-loaded");
  });
});

describe("generate", () => {
  test("yields the tokens and settles its result", async () => {
    const { engine } = start({
      generate: () => {
        async function* tokens() {
          yield 7;
          yield 8;
        }
        const result = Promise.resolve({ finishReason: "stop", stats: fakeStats } as const);
        return Object.assign(tokens(), { result });
      },
    });
    await engine.load(source);
    const generation = engine.generate([1], { maxNewTokens: 2 });
    expect(await collect(generation)).toEqual([7, 8]);
    expect(await generation.result).toEqual({ finishReason: "stop", stats: fakeStats });
  });
});

describe("a worker that dies", () => {
  test("without an event rejects what is pending once the heartbeat gets no answer", async () => {
    const faults: EngineError[] = [];
    const { engine, fake } = start(
      { chat: waitingChat },
      {},
      { heartbeat: { intervalMs: 5, allowedMisses: 4 }, onFault: (error) => faults.push(error) },
    );
    await engine.load(source);
    const chat = engine.chat(question)[Symbol.asyncIterator]();
    await chat.next();
    const next = failure(chat.next());
    fake.die();
    expect((await next).code).toBe("worker-died");
    expect(faults.map(({ code }) => code)).toEqual(["worker-died"]);
    expect(fake.wasTerminated()).toBe(true);
    expect((await failure(engine.load(source))).code).toBe("worker-died");
  });

  test("is noticed at once, and idle, where the browser frees its lock", async () => {
    let free: (() => void) | undefined;
    const request = (_name: string, _options: unknown, granted: () => void) =>
      new Promise<void>((resolve) => {
        free = () => {
          granted();
          resolve();
        };
      });
    const faults: EngineError[] = [];
    const { engine } = start(
      {},
      { holdLifeLock: async () => "lock" },
      { locks: { request } as unknown as LockManager, onFault: (error) => faults.push(error) },
    );
    await engine.load(source);
    expect(faults).toEqual([]);
    free?.();
    expect(faults.map(({ code }) => code)).toEqual(["worker-died"]);
    expect((await failure(engine.load(source))).code).toBe("worker-died");
  });

  test("by an error event says what the event says", async () => {
    const { engine, fake } = start({}, { openModel: () => new Promise(() => {}) });
    const loading = failure(engine.load(source));
    fake.fail("Unexpected token");
    const error = await loading;
    expect(error.code).toBe("worker-died");
    expect(error.message).toContain("Unexpected token");
  });

  test("a busy worker that still answers is left alone", async () => {
    const { engine } = start({ chat: waitingChat }, {}, { heartbeat: { intervalMs: 2, allowedMisses: 10 } });
    await engine.load(source);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const events = await collect(engine.chat({ ...question, signal: controller.signal }));
    expect(events.at(-1)).toMatchObject({ type: "done" });
  });
});

describe("a fault outside any request", () => {
  test("rejects the running request, is reported, and leaves the engine usable", async () => {
    const faults: EngineError[] = [];
    const { engine, fake } = start({ chat: waitingChat }, {}, { onFault: (error) => faults.push(error) });
    await engine.load(source);
    const chat = failure(collect(engine.chat(question)));
    await engine.models(); // by now the chat runs
    fake.host.reportFault(new RangeError("stray rejection"));
    const error = await chat;
    expect(error.code).toBe("internal");
    expect(error.message).toBe("stray rejection");
    expect(faults.map(({ message }) => message)).toEqual(["stray rejection"]);
    expect(await engine.logits([3], "decode")).toEqual(Float32Array.of(3));
  });

  test("ends a request whose answer it took with it", async () => {
    const { engine, fake } = start({ logits: () => new Promise(() => {}) });
    await engine.load(source);
    const logits = failure(engine.logits([1], "prefill"));
    await engine.models();
    fake.host.reportFault(new Error("lost"));
    expect((await logits).message).toBe("lost");
  });

  test("before the client said hello is kept for it", async () => {
    const faults: EngineError[] = [];
    const fake = createFakeWorker(fakeServices(createFakeEngine()));
    fake.host.reportFault(new Error("early"));
    const engine = createWorkerEngine({ worker: () => fake.worker, onFault: (error) => faults.push(error) });
    engines.push(engine);
    await engine.models();
    expect(faults.map(({ message }) => message)).toEqual(["early"]);
  });
});

describe("unload and dispose", () => {
  test("unload aborts the running request and frees the model", async () => {
    const { engine } = start({ chat: waitingChat });
    await engine.load(source);
    const events = collect(engine.chat(question));
    await engine.unload();
    expect((await events).at(-1)).toMatchObject({ finishReason: "aborted" });
    expect(engine.info).toBeUndefined();
    expect((await failure(engine.logits([1], "prefill"))).code).toBe("not-loaded");
  });

  test("dispose rejects what is pending and what comes later, and may be called twice", async () => {
    const { engine, fake } = start({ chat: waitingChat });
    await engine.load(source);
    const chat = engine.chat(question)[Symbol.asyncIterator]();
    await chat.next();
    const next = failure(chat.next());
    engine.dispose();
    engine.dispose();
    expect((await next).code).toBe("disposed");
    expect(fake.wasTerminated()).toBe(true);
    expect((await failure(engine.models())).code).toBe("disposed");
  });

  test("a model is not deleted under a running request", async () => {
    const deleted: string[] = [];
    const { engine } = start(
      { chat: waitingChat },
      { stored: fakeStoredModels({ remove: async (id) => void deleted.push(id) }) },
    );
    await engine.load(source);
    const chat = engine.chat(question)[Symbol.asyncIterator]();
    await chat.next();
    expect((await failure(engine.deleteModel("tiny"))).code).toBe("busy");
    await chat.return?.();
    await engine.deleteModel("tiny");
    expect(deleted).toEqual(["tiny"]);
  });
});
