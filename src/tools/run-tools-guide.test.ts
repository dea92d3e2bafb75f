// The loop above the engine's chat: what a model that obeys its guide cannot do, whatever it wants to write.
import { describe, expect, it } from "vitest";
import { createWorkerEngine } from "../client/worker-engine.ts";
import { chatEvents } from "../runtime/chat.ts";
import type { ChatEvent, ChatRequest } from "../runtime/types.ts";
import { createFakeEngine, fakeServices } from "../testing/fake-engine.ts";
import { createFakeWorker } from "../testing/fake-worker.ts";
import { wantingModel } from "../testing/wanting-model.ts";
import { runTools } from "./run-tools.ts";
import { collect, only, scriptedEngine } from "./scripted-engine.fixture.ts";
import type { RunToolsOptions, ToolsEvent, ToolsRequest } from "./types.ts";

const f = { name: "f", description: "Adds.", parameters: { type: "object" }, run: () => "done" };
const call = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>";
const answer = "<|channel|>final<|message|>ok<|return|>";

async function turn(texts: readonly string[], request: Partial<ToolsRequest>, options: RunToolsOptions = {}) {
  const model = wantingModel(texts);
  const messages = [{ role: "user", content: "Hello!" }] as const;
  const asked = { messages, maxNewTokens: 200, ...request };
  const engine = { chat: (chatRequest: ChatRequest) => chatEvents(model, chatRequest) };
  const events = await collect(runTools(engine, asked, { functions: [f], approve: "always", ...options }));
  const content = events.map((event) => (event.type === "content" ? event.text : "")).join("");
  return { events, content, done: only(events, "done") };
}

describe("excluded reasoning in a turn with tools", () => {
  it.each([
    ["without its channel token", "analysis My secret.<|end|><|start|>assistant"],
    ["on a channel that is none", "<|channel|>comment<|message|>My secret.<|end|><|start|>assistant"],
    ["without any header", "My secret.<|end|><|start|>assistant"],
    ["without its message token", "<|channel|>analysis My secret is<|end|><|start|>assistant"],
    ["as it should be", "<|channel|>analysis<|message|>My secret.<|end|><|start|>assistant"],
  ])("stays hidden when it is written %s", async (_name, thought) => {
    const texts = [thought + call, thought + answer];
    const shown = await turn(texts, {});
    expect(JSON.stringify(shown.events)).toContain("secret");

    const hidden = await turn(texts, { reasoning: { exclude: true } });
    expect(JSON.stringify(hidden.events)).not.toContain("secret");
    expect(hidden.content).toBe("ok");
    expect(hidden.done.answer.text).toBe("ok");
    expect(hidden.done.messages.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant"]);
  });
});

describe("words that a model writes into a header", () => {
  const strayed = "<|channel|>final one two three<|message|>b<|return|>";
  const reported = [
    ["unexpected words in the header", "one two"],
    ["an unknown content type", "three"],
  ];
  const recoveries = (events: readonly (ChatEvent | ToolsEvent)[]) =>
    events.flatMap((event) => (event.type === "recovery" ? [[event.kind, event.text]] : []));
  const chatRequest = { messages: [{ role: "user", content: "Hello!" }] } as const;

  it("are reported by chat", async () => {
    const events = await collect(chatEvents(wantingModel([strayed]), chatRequest));
    expect(recoveries(events)).toEqual(expect.arrayContaining(reported));
    expect(events.filter(({ type }) => type === "content")).toEqual([{ type: "content", text: "b" }]);
  });

  it("are reported by a turn with tools", async () => {
    const { events, content } = await turn([strayed], {});
    expect(recoveries(events)).toEqual(expect.arrayContaining(reported));
    expect(content).toBe("b");
  });

  it("are reported across the worker's channel", async () => {
    const chat = (request: ChatRequest) => chatEvents(wantingModel([strayed]), request);
    const fake = createFakeWorker(fakeServices(createFakeEngine({ chat })));
    const engine = createWorkerEngine({ worker: fake.worker });
    try {
      await engine.load({ baseUrl: "https://models.test/tiny/" });
      expect(recoveries(await collect(engine.chat(chatRequest)))).toEqual(expect.arrayContaining(reported));
    } finally {
      engine.dispose();
    }
  });

  it("are kept back where reasoning is excluded: they may be reasoning", async () => {
    const stray = { type: "recovery", kind: "x", text: "My secret." } as const;
    const request: ToolsRequest = { ...chatRequest, reasoning: { exclude: true } };
    const events = await collect(runTools(scriptedEngine([[stray]]), request));
    expect(recoveries(events)).toEqual([["x", ""]]);
  });
});

describe("the answer after the last round", () => {
  it.each([
    ["calls at once", call],
    ["thinks and calls", `<|channel|>analysis<|message|>Again.<|end|><|start|>assistant${call}`],
    ["goes on thinking", "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant".repeat(9)],
  ])("is one without a call, from a model that %s", async (_name, text) => {
    const { events, done } = await turn([call, text], {}, { maxRounds: 1 });
    expect(events.filter(({ type }) => type === "tool-call")).toHaveLength(1);
    expect(done.finishReason).toBe("stop");
    expect(
      events.filter((event) => event.type === "reasoning" && event.text.includes("Hm")).length,
    ).toBeLessThan(2);
  });
});
