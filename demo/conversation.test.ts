import { describe, expect, test } from "vitest";
import { type ChatEvent, type ChatRequest, EngineError } from "../src/index.ts";
import { fakeStats as stats } from "../src/testing/fake-engine.ts";
import {
  call,
  type ScriptedRound,
  say,
  scriptedEngine,
  think,
} from "../src/tools/scripted-engine.fixture.ts";
import { type AnswerView, createConversation, type Question } from "./conversation.ts";
import { embeddedModel } from "./model-choices.ts";
import { createConversationTools } from "./tools/conversation-tools.ts";

const model = embeddedModel;
const first: Question = { text: "first?", effort: "low", model };
const second: Question = { text: "second?", effort: "low", model };

/** Answers "partly", then waits for the abort or the end that the test gives, as the engine's worker does. */
function fakeSession() {
  const requests: ChatRequest[] = [];
  let settle: (error?: EngineError) => void = () => {};
  async function* chat(request: ChatRequest): AsyncGenerator<ChatEvent> {
    requests.push(request);
    yield { type: "content", text: "partly" };
    const error = await new Promise<EngineError | undefined>((resolve) => {
      settle = resolve;
    });
    if (error !== undefined) throw error;
    yield { type: "done", finishReason: request.signal?.aborted ? "aborted" : "stop", stats };
  }
  const session = { status: () => ({ state: "idle" }) as const, load: async () => {}, chat };
  return { session, requests, settle: (error?: EngineError) => settle(error) };
}

function fakeView(): AnswerView {
  return {
    show: () => {},
    approve: async () => true,
    result: async () => "",
    setNote: () => {},
    end: () => {},
  };
}

function start(parameters: { date?: string; temperature?: number } = {}) {
  const { session, requests, settle } = fakeSession();
  const errors: string[] = [];
  const busy: boolean[] = [];
  const conversation = createConversation({
    session,
    parameters: { date: parameters.date, temperature: parameters.temperature },
    tools: createConversationTools(),
    turns: { add: fakeView, clear: () => {} },
    onBusy: (isBusy) => busy.push(isBusy),
    onError: (error) => errors.push(error.code),
  });
  const contents = () => requests.at(-1)?.messages.map(({ content }) => content);
  return { conversation, requests, settle, errors, busy, contents };
}

/** Until the answer under way has said its part and waits. */
const streaming = () => new Promise((resolve) => setTimeout(resolve));

describe("a conversation", () => {
  test("sends what was said before, also what was stopped in mid-answer", async () => {
    const { conversation, settle, contents } = start();
    const asked = conversation.ask(first);
    await streaming();
    conversation.stop();
    settle();
    await asked;
    void conversation.ask(second);
    await streaming();
    expect(contents()).toEqual(["first?", "partly", "second?"]);
  });

  test("cleared while an answer streams has forgotten it, though the abort ends with done", async () => {
    const { conversation, requests, settle, contents, busy } = start();
    const asked = conversation.ask(first);
    await streaming();
    conversation.clear();
    expect(requests[0]?.signal?.aborted).toBe(true);
    await conversation.ask(second);
    expect(requests.length, "busy until the answer has stopped").toBe(1);
    expect(busy).toEqual([true]);
    settle();
    await asked;
    expect(busy).toEqual([true, false]);
    void conversation.ask(second);
    await streaming();
    expect(contents()).toEqual(["second?"]);
  });

  test("tells failures, but not those of what was cleared", async () => {
    const { conversation, settle, errors } = start();
    for (const isCleared of [true, false]) {
      const asked = conversation.ask(first);
      await streaming();
      if (isCleared) conversation.clear();
      settle(new EngineError("device-lost", "gone"));
      await asked;
      expect(errors).toEqual(isCleared ? [] : ["device-lost"]);
    }
  });
});

describe("a turn with tools", () => {
  function startScripted(rounds: readonly ScriptedRound[], view: Partial<AnswerView> = {}) {
    const engine = scriptedEngine(rounds);
    const errors: string[] = [];
    const conversation = createConversation({
      session: { status: () => ({ state: "idle" }), load: async () => {}, chat: engine.chat },
      parameters: { date: undefined, temperature: undefined },
      tools: createConversationTools(),
      turns: { add: () => ({ ...fakeView(), ...view }), clear: () => {} },
      onBusy: () => {},
      onError: ({ message }) => errors.push(message),
    });
    return { conversation, requests: engine.requests, errors };
  }
  const tools = { functions: [{ name: "add", description: "" }] };

  test("calls and results are part of what is said next", async () => {
    const rounds = [[think("Add."), call("add", {})], [say("four")], [say("bye")]];
    const { conversation, requests, errors } = startScripted(rounds, { result: async () => "4" });
    await conversation.ask({ ...first, tools });
    await conversation.ask({ ...second, settings: { responseFormat: { type: "json_object" } } });
    expect(errors).toEqual([]);
    expect(requests[0]).toHaveProperty("tools", tools.functions);
    expect(requests[2]).not.toHaveProperty("tools");
    expect(requests[2]).toHaveProperty("responseFormat", { type: "json_object" });
    expect(requests[2]?.messages).toEqual([
      { role: "user", content: "first?" },
      {
        role: "assistant",
        content: "",
        reasoning: "Add.",
        toolCalls: [{ name: "add", arguments: "{}" }],
      },
      { role: "tool", name: "add", content: "4" },
      { role: "assistant", content: "four" },
      { role: "user", content: "second?" },
    ]);
  });

  test("stopped while a call waits for the user, or while the model reasons, leaves no trace", async () => {
    for (const round of [[call("add", {})], [think("hm"), think("hm")]]) {
      let stop = () => {};
      const { conversation, requests } = startScripted([round, [say("bye")]], {
        approve: () => {
          stop();
          return new Promise(() => {});
        },
        show: (event) => {
          if (event.type === "reasoning") stop();
        },
      });
      stop = conversation.stop;
      await conversation.ask({ ...first, tools });
      await conversation.ask(second);
      expect(requests[1]?.messages).toEqual([{ role: "user", content: "second?" }]);
    }
  });
});

describe("a request", () => {
  async function request(parameters: { date?: string; temperature?: number }, question = first) {
    const { conversation, requests } = start(parameters);
    void conversation.ask(question);
    await streaming();
    return requests[0];
  }

  test("has no date but that of the page's address: the engine knows today", async () => {
    expect(await request({})).not.toHaveProperty("currentDate");
    expect(await request({ date: "2026-11-22" })).toHaveProperty("currentDate", "2026-11-22");
  });

  test("has the temperature of the page's address, else the model's", async () => {
    const other = {
      ...first,
      model: { name: "org/name", source: { baseUrl: "https://huggingface.co/org/name" } },
    };
    expect((await request({}))?.temperature).toBe(0);
    expect((await request({}, other))?.temperature).toBe(1);
    expect((await request({ temperature: 0 }, other))?.temperature).toBe(0);
    expect((await request({ temperature: 0.7 }))?.temperature).toBe(0.7);
  });
});
