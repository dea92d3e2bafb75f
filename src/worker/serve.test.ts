import { expect, it } from "vitest";
import { isEngineError } from "../errors.ts";
import { createFakeEngine, fakeServices } from "../testing/fake-engine.ts";
import { createFakeWorker } from "../testing/fake-worker.ts";
import { connect } from "./connect.ts";
import { protocolVersion } from "./protocol.ts";

const strange: readonly [string, unknown][] = [
  ["nothing", undefined],
  ["null", null],
  ["a text", "load"],
  ["a number", 7],
  ["an empty object", {}],
  ["a message of another program", { type: "webpackOk", data: {} }],
  ["a call without arguments", { id: "1", type: "APPLY", path: ["ping"] }],
  ["a call of no path", { id: "1", type: "APPLY", argumentList: [] }],
  ["arguments that are none", { id: "1", type: "APPLY", path: ["ping"], argumentList: [null, 5] }],
  [
    "an argument of a kind that a later version has",
    { id: "1", type: "APPLY", path: ["ping"], argumentList: [{ type: "HANDLER", name: "stream", value: 1 }] },
  ],
  ["a change of the host", { id: "1", type: "SET", path: ["ping"], value: { type: "RAW", value: 1 } }],
];

it("W4: passes over messages that are no calls, and answers the next call", async () => {
  const { worker } = createFakeWorker(fakeServices(createFakeEngine()));
  const host = connect(worker);
  const thrown: unknown[] = [];
  const note = (error: unknown) => void thrown.push(error);
  process.on("uncaughtException", note);
  for (const [, message] of strange) worker.postMessage(message);
  await host.ping();
  process.off("uncaughtException", note);
  expect(thrown).toEqual([]);
  expect(await host.models()).toEqual([]);
  worker.terminate();
});

it("W4: refuses a page of another version with a sentence, also one that names none", async () => {
  const { worker } = createFakeWorker(fakeServices(createFakeEngine()));
  const host = connect(worker);
  for (const version of [protocolVersion + 1, undefined as unknown as number]) {
    const error = await host.hello(() => {}, version).catch((reason: unknown) => reason);
    if (!isEngineError(error)) throw error;
    expect(error).toMatchObject({
      code: "request-invalid",
      message: expect.stringMatching(/Reload the page/),
    });
  }
  worker.terminate();
});
