import { afterEach, describe, expect, test } from "vitest";
import { failure } from "../testing/failure.ts";
import { createFakeEngine, fakeInfo, fakeServices } from "../testing/fake-engine.ts";
import { createFakeWorker } from "../testing/fake-worker.ts";
import { createWorkerEngine, type WorkerEngine } from "./worker-engine.ts";

const source = { baseUrl: "https://models.test/tiny/" };
const engines: WorkerEngine[] = [];

afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

function start(): WorkerEngine {
  const engine = createWorkerEngine({ worker: createFakeWorker(fakeServices(createFakeEngine())).worker });
  engines.push(engine);
  return engine;
}

async function collect(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

describe("wrong options", () => {
  test("are refused before the worker hears of them, and what is loaded stays", async () => {
    const engine = start();
    await engine.load(source);
    for (const [call, sentence] of [
      [() => engine.load({ url: "x" } as never), "Cannot load a model: the source is an object with url;"],
      [() => engine.load("org/name" as never), 'the source is "org/name"; expected one place'],
      [() => engine.load(source, { dense: "int4" } as never), 'dense is "int4"; expected "bf16" or "int8"'],
      [() => engine.load(source, { otherTab: "x" } as never), 'otherTab is "x"'],
      [() => engine.load(source, { kvFormt: "f16" } as never), "no option kvFormt; the nearest is kvFormat"],
      [() => engine.download(source, { store: "x" } as never), 'Cannot download a model: store is "x"'],
      [() => engine.download(source, { otherTab: "share" } as never), 'otherTab is "share"; expected "wait"'],
      [() => engine.capabilities(source, { dense: 8 } as never), "dense is 8"],
      [
        () => engine.capabilities({ published: "7b" } as never),
        'published is "7b"; expected "20b" or "120b"',
      ],
      [async () => collect(engine.chat({} as never)), "Cannot chat: messages is missing"],
      [async () => collect(engine.generate([1], {} as never)), "Cannot generate: maxNewTokens is missing"],
    ] as const) {
      const error = await failure(call());
      expect([error.code, error.message]).toEqual(["request-invalid", expect.stringContaining(sentence)]);
    }
    expect(engine.info).toEqual(fakeInfo);
  });

  test("Node without a worker is told where models run there", () => {
    expect(() => createWorkerEngine()).toThrow(
      expect.objectContaining({
        code: "request-invalid",
        message: expect.stringMatching(/in Node.*npm run cli/),
      }),
    );
  });
});
