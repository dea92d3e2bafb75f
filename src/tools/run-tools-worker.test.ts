// The loop above an engine behind a real message channel: what it asks can be cloned, and each request has ended
// before the next one begins, since the worker refuses two at a time.
import { expect, it } from "vitest";
import { createWorkerEngine } from "../client/worker-engine.ts";
import { createFakeEngine, fakeServices } from "../testing/fake-engine.ts";
import { createFakeWorker } from "../testing/fake-worker.ts";
import { defineFunction, runTools } from "./run-tools.ts";
import { call, collect, only, say, scriptedEngine } from "./scripted-engine.fixture.ts";

it("runTools works above an engine in a worker", async () => {
  const script = scriptedEngine([[call("add", { a: 1 })], [call("add", { a: 2 })], [say("3")]]);
  const fake = createFakeWorker(fakeServices(createFakeEngine({ chat: script.chat })));
  const engine = createWorkerEngine({ worker: fake.worker });
  try {
    await engine.load({ baseUrl: "https://models.test/tiny/" });
    const add = defineFunction<{ a: number }>({ name: "add", description: "Adds one." }, ({ a }) => a + 1);
    const request = { messages: [{ role: "user", content: "?" }] } as const;
    const events = await collect(runTools(engine, request, { functions: [add], approve: "always" }));
    expect(only(events, "done").messages.map(({ content }) => content)).toEqual(["", "2", "", "3", "3"]);
    expect(script.requests[0]?.tools).toEqual([{ name: "add", description: "Adds one." }]);
  } finally {
    engine.dispose();
  }
});
