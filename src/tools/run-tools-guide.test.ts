// The loop above the engine's chat: what a model that obeys its guide cannot do, whatever it wants to write.
import { describe, expect, it } from "vitest";
import { chatEvents } from "../runtime/chat.ts";
import { wantingModel } from "../testing/wanting-model.ts";
import { runTools } from "./run-tools.ts";
import { collect, only } from "./scripted-engine.fixture.ts";
import type { RunToolsOptions, ToolsRequest } from "./types.ts";

const f = { name: "f", description: "Adds.", parameters: { type: "object" }, run: () => "done" };
const call = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>";
const answer = "<|channel|>final<|message|>ok<|return|>";

async function turn(texts: readonly string[], request: Partial<ToolsRequest>, options: RunToolsOptions = {}) {
  const model = wantingModel(texts);
  const messages = [{ role: "user", content: "Hello!" }] as const;
  const asked = { messages, maxNewTokens: 200, ...request };
  const engine = { chat: (chatRequest: Parameters<typeof chatEvents>[1]) => chatEvents(model, chatRequest) };
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
