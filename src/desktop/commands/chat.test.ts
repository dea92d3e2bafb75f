import { expect, it } from "vitest";
import type { ChatEvent, ChatRequest } from "../../runtime/types.ts";
import { createFakeEngine, fakeStats } from "../../testing/fake-engine.ts";
import { outcomeOf } from "../../testing/terminal.ts";
import { answer } from "./chat.ts";

const messages = [{ role: "user", content: "?" }] as const;
const json: ChatRequest = { messages, responseFormat: { type: "json_object" } };

const write = (request: ChatRequest, pieces: string[], finishReason: "stop" | "length") =>
  outcomeOf((terminal) => {
    const events: ChatEvent[] = [
      { type: "reasoning", text: "so" },
      ...pieces.map((text): ChatEvent => ({ type: "content", text })),
      { type: "done", finishReason, stats: fakeStats },
    ];
    async function* chat() {
      yield* events;
    }
    return answer(createFakeEngine({ chat }), request, false, terminal);
  });

it("writes complete JSON to stdout", async () => {
  expect(await write(json, ['{"a"', ":1}"], "stop")).toEqual({ code: 0, out: '{"a":1}\n', err: "so\n" });
});

it("keeps cut-off JSON from stdout, with an exit code of its own", async () => {
  expect(await write(json, ['{"a"', ":"], "length")).toEqual({
    code: 3,
    out: "",
    err: expect.stringMatching(/^so\nThe JSON is not complete \(cut off.*So far: \{"a":\n$/),
  });
  expect(await write(json, [], "length")).toMatchObject({
    code: 3,
    out: "",
    err: expect.stringMatching(/No JSON was/),
  });
});

it("writes text as it comes, and says where it was cut off", async () => {
  expect(await write({ messages }, ["one ", "two"], "length")).toEqual({
    code: 0,
    out: "one two\n",
    err: expect.stringMatching(/^so\n\(cut off: /),
  });
});
