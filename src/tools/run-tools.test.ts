import { describe, expect, it } from "vitest";
import { fakeStats } from "../testing/fake-engine.ts";
import { defineFunction, runTools } from "./run-tools.ts";
import { call, collect, only, say, scriptedEngine, think } from "./scripted-engine.fixture.ts";
import type { BuiltinTool, NumberedCall, RunToolsOptions, ToolsEvent, ToolsRequest } from "./types.ts";
import { ToolFailure } from "./types.ts";

const question: ToolsRequest = { messages: [{ role: "user", content: "Weather in Rome?" }] };
const seen: unknown[] = [];
const weather = defineFunction<{ city: string }>(
  {
    name: "weather",
    description: "Weather of a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
      required: ["city"],
      additionalProperties: false,
    },
  },
  (args) => {
    seen.push(args);
    return { city: args.city, celsius: 21 };
  },
);
const always: RunToolsOptions = { functions: [weather], approve: "always" };
const askRome = [think("Ask."), call("weather", { city: "Rome" })];

/** Runs a turn whose only function is `run`, called once. */
async function withHandler(run: (signal: AbortSignal) => unknown, options: RunToolsOptions = {}) {
  const engine = scriptedEngine([[call("f", "{}")], [say("Well.")]]);
  const functions = [
    {
      name: "f",
      description: "",
      run: (_: unknown, context: { signal: AbortSignal }) => run(context.signal),
    },
  ];
  const events = await collect(runTools(engine, question, { approve: "always", ...options, functions }));
  return { events, event: only(events, "tool-result"), told: engine.requests[1]?.messages.at(-1) };
}

describe("runTools", () => {
  it("runs the call, asks again with the result, and hands over the turn's messages", async () => {
    const engine = scriptedEngine([askRome, [think("21."), say("It is "), say("21 °C.")]]);
    const events = await collect(runTools(engine, { ...question, temperature: 0 }, always));
    expect(events.map(({ type }) => type)).toEqual(
      "reasoning tool-call round-done tool-start tool-result reasoning content content round-done done".split(
        " ",
      ),
    );
    expect(seen.at(-1)).toEqual({ city: "Rome" });
    const messages = [
      {
        role: "assistant",
        content: "",
        reasoning: "Ask.",
        toolCalls: [{ name: "weather", arguments: '{"city":"Rome"}' }],
      },
      { role: "tool", name: "weather", content: '{"city":"Rome","celsius":21}' },
    ];
    expect(engine.requests[1]?.messages).toEqual([...question.messages, ...messages]);
    const done = only(events, "done");
    expect(done).toEqual({
      type: "done",
      finishReason: "stop",
      stats: fakeStats,
      messages: [...messages, { role: "assistant", content: "It is 21 °C.", reasoning: "21." }],
      answer: { text: "It is 21 °C.", annotations: [] },
    });
    const result = only(events, "tool-result");
    expect(result.durationMs).toBeGreaterThanOrEqual(0);
    expect(result).not.toHaveProperty("failure");
  });

  it("tells the engine of the tools, without what runs them", async () => {
    const engine = scriptedEngine([[say("Hi")]]);
    const python: BuiltinTool = { name: "python", run: async () => "" };
    await collect(runTools(engine, question, { ...always, builtins: [python] }));
    const { run: _, ...definition } = weather;
    expect(engine.requests[0]).toMatchObject({ tools: [definition], builtinTools: ["python"] });
    expect(() => structuredClone(engine.requests[0])).not.toThrow();
  });

  it("has no tools and runs none by default: every call is refused, and the model hears of it", async () => {
    const before = seen.length;
    const engine = scriptedEngine([askRome, [say("I cannot.")]]);
    const events = await collect(runTools(engine, question, { functions: [weather] }));
    expect(only(events, "tool-denied").result).toMatch(/did not allow/);
    expect(events.some(({ type }) => type === "tool-start")).toBe(false);
    expect(engine.requests[1]?.messages.at(-1)).toMatchObject({
      role: "tool",
      content: expect.stringMatching(/did not allow/),
    });
    expect(seen.length).toBe(before);

    const bare = scriptedEngine([[say("Hi")]]);
    await collect(runTools(bare, question));
    expect(bare.requests[0]).toEqual(question);
  });

  it("asks for approval with the call, and takes only true for a yes", async () => {
    for (const [answer, type] of [
      [true, "tool-result"],
      [false, "tool-denied"],
      [undefined as unknown as boolean, "tool-denied"],
    ] as const) {
      const asked: NumberedCall[] = [];
      const approve = async (call: NumberedCall) => {
        asked.push(call);
        return answer;
      };
      const events = await collect(
        runTools(scriptedEngine([askRome, [say("Ok")]]), question, { functions: [weather], approve }),
      );
      expect(asked).toEqual([{ id: 0, name: "weather", arguments: '{"city":"Rome"}' }]);
      expect(events.map((event) => event.type)).toContain(type);
    }
  });

  it.each([
    ["no JSON", "{city: Rome}", "", /not valid JSON/],
    ["a missing field", {}, "", /"city"/],
    ["a wrong type", { city: 3 }, "/city", /string/],
    ["a value out of range", { city: "Rome", days: 0 }, "/days", /minimum|less than/i],
    ["an unknown field", { city: "Rome", unit: "K" }, "/unit", /not allowed/],
    ["half a character in a name", '{"city": "Rome", "\\ud83d": 1}', "", /surrogate/],
  ])("names %s to the model and never runs the call", async (_, args, path, message) => {
    const before = seen.length;
    const engine = scriptedEngine([[call("weather", args)], askRome, [say("21")]]);
    const events = await collect(runTools(engine, question, always));
    const invalid = only(events, "invalid-arguments");
    expect(invalid.problems).toEqual([{ path, message: expect.stringMatching(message) }]);
    const told = engine.requests[1]?.messages.at(-1)?.content ?? "";
    expect(told).toMatch(message);
    if (path !== "") expect(told).toContain(path);
    expect(seen.length).toBe(before + 1); // the second, right call
  });

  it("tells the model that a tool does not exist, and which do, without asking anybody", async () => {
    const approve = () => {
      throw new Error("asked");
    };
    const engine = scriptedEngine([[call("wether  now", {})], [say("Hm")]]);
    const events = await collect(runTools(engine, question, { functions: [weather], approve }));
    expect(only(events, "tool-result")).toMatchObject({
      failure: "unknown-tool",
      result: expect.stringMatching(/wether_now.*weather/),
    });
    expect(engine.requests[1]?.messages.at(-1)).toMatchObject({ name: "wether_now" });
  });

  it("tells the model what a handler throws, sync or async, and a tool's failure in its own words", async () => {
    for (const run of [
      () => Promise.reject(new Error("no rain gauge")),
      () => {
        throw new Error("no rain gauge");
      },
    ]) {
      const { event, told } = await withHandler(run);
      expect(event).toMatchObject({ failure: "failed", result: "Error: f failed: no rain gauge" });
      expect(told).toMatchObject({ role: "tool", content: event.result });
    }
    const nameless = await withHandler(() => Promise.reject(Object.create(null)));
    expect(nameless.event).toMatchObject({
      failure: "failed",
      result: expect.stringMatching(/^Error: f failed: /),
    });
    const own = await withHandler(() => Promise.reject(new ToolFailure("Come back later.")));
    expect(own.event).toMatchObject({ failure: "failed", result: "Come back later." });
  });

  it("tells a handler that its call is over", async () => {
    let signal: AbortSignal | undefined;
    await withHandler((given) => {
      signal = given;
    });
    expect(signal?.aborted).toBe(true);
  });

  it("ends a handler at its time limit, and says so", async () => {
    let reason: unknown;
    const { event } = await withHandler(
      (signal) =>
        new Promise(() =>
          signal.addEventListener("abort", () => {
            reason = signal.reason;
          }),
        ),
      { timeoutMs: 20 },
    );
    expect(event).toMatchObject({ failure: "timeout", result: expect.stringContaining("0.02 s") });
    expect(reason).toMatchObject({ name: "TimeoutError" });
    expect(event.durationMs).toBeGreaterThan(15);
  });

  it.each([
    ["text", "as it is", "as it is"],
    ["an object", { a: [1] }, '{"a":[1]}'],
    ["nothing", undefined, "null"],
    ["a function", () => {}, "() => {}"],
  ])("sends %s to the model as text", async (_, value, text) => {
    expect((await withHandler(() => value)).event.result).toBe(text);
  });

  it("cuts long results, never within a character", async () => {
    const { event } = await withHandler(() => "ab😀cd", { maxResultCharacters: 3 });
    expect(event.result).toBe("ab\n[cut: 4 more characters]");
  });

  it("makes the model answer without tools when the rounds are used up", async () => {
    const engine = scriptedEngine([askRome, askRome, [say("Enough.")]]);
    const events = await collect(runTools(engine, question, { ...always, maxRounds: 2 }));
    expect(engine.requests[2]).not.toHaveProperty("tools");
    expect(engine.requests[2]?.toolChoice).toBe("none");
    expect(only(events, "done")).toMatchObject({ finishReason: "stop", answer: { text: "Enough." } });

    const stubborn = scriptedEngine([askRome, askRome]);
    const last = only(await collect(runTools(stubborn, question, { ...always, maxRounds: 1 })), "done");
    expect(last.finishReason).toBe("tool-call");
    expect(last.messages.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant"]);
  });

  it("demands a call of the first answer only", async () => {
    const engine = scriptedEngine([askRome, [say("21")]]);
    await collect(runTools(engine, { ...question, toolChoice: { name: "weather" } }, always));
    expect(engine.requests.map(({ toolChoice }) => toolChoice)).toEqual([{ name: "weather" }, undefined]);
  });

  it("parts the text of two rounds by a blank line, in what is shown and not in the messages", async () => {
    const engine = scriptedEngine([
      [say("Let me look."), call("weather", { city: "Rome" })],
      [say("21"), say(".")],
    ]);
    const events = await collect(runTools(engine, question, always));
    const shown = events.map((event) => (event.type === "content" ? event.text : "")).join("");
    expect(shown).toBe("Let me look.\n\n21.");
    expect(only(events, "done").messages.map(({ content }) => content)).toEqual([
      "Let me look.",
      expect.any(String),
      "21.",
    ]);
  });

  it("keeps excluded reasoning for the model while the turn lasts, and hands none of it out", async () => {
    const engine = scriptedEngine([askRome, [think("Secret."), say("21")]]);
    const events = await collect(runTools(engine, { ...question, reasoning: { exclude: true } }, always));
    expect(engine.requests[1]?.messages[1]).toMatchObject({ reasoning: "Ask." });
    expect(JSON.stringify(events)).not.toMatch(/Ask\.|Secret/);
  });

  it("answers several calls of one answer in order", async () => {
    const two = [call("weather", { city: "Rome" }), call("weather", { city: "Oslo" })];
    const engine = scriptedEngine([two, [say("Both.")]]);
    const events = await collect(runTools(engine, question, always));
    const ids = events.flatMap((event) => (event.type === "tool-result" ? [event.call.id] : []));
    expect(ids).toEqual([0, 1]);
    expect(engine.requests[1]?.messages.slice(1).map(({ role }) => role)).toEqual([
      "assistant",
      "tool",
      "tool",
    ]);
  });

  it("refuses two tools of one name", async () => {
    const twice = collect(runTools(scriptedEngine([]), question, { functions: [weather, weather] }));
    await expect(twice).rejects.toMatchObject({ code: "request-invalid" });
  });

  it("refuses a limit that is no number", async () => {
    const limitless = collect(runTools(scriptedEngine([]), question, { maxRounds: Number.NaN }));
    await expect(limitless).rejects.toMatchObject({ code: "request-invalid" });
  });

  it("says which function's schema cannot be used, and of arguments that are too deep to check", async () => {
    const schema = (parameters: unknown) =>
      collect(
        runTools(
          scriptedEngine([[call("f", `{"a":${"[".repeat(9000)}${"]".repeat(9000)}}`)], [say("Hm")]]),
          question,
          {
            functions: [{ name: "f", description: "", parameters, run: () => "never" }],
            approve: "always",
          },
        ),
      );
    await expect(schema({ $ref: "#/$defs/none" })).rejects.toMatchObject({
      code: "request-invalid",
      message: expect.stringMatching(/function f .*#\/\$defs\/none/),
    });
    const list = { type: "array", items: { $ref: "#/$defs/list" } };
    const deep = await schema({ $defs: { list }, properties: { a: { $ref: "#/$defs/list" } } });
    expect(only(deep, "invalid-arguments").problems).toEqual([{ path: "", message: "nested too deep" }]);
  });

  it("passes on what the engine throws", async () => {
    const failing = collect(runTools(scriptedEngine([]), question));
    await expect(failing).rejects.toThrow("not scripted");
  });
});

describe("an abort of runTools", () => {
  async function abortedWhen(type: ToolsEvent["type"], options: RunToolsOptions) {
    const abort = new AbortController();
    const engine = scriptedEngine([askRome, [say("2"), say("1")]]);
    const events: ToolsEvent[] = [];
    for await (const event of runTools(engine, { ...question, signal: abort.signal }, options)) {
      events.push(event);
      if (event.type === type) abort.abort();
    }
    return { events, done: only(events, "done"), engine };
  }

  it("ends a running call, whose handler hears of it; its round is left out of the messages", async () => {
    const abort = new AbortController();
    let heard = false;
    const slow = {
      ...weather,
      run: (_: unknown, { signal }: { signal: AbortSignal }) => {
        signal.addEventListener("abort", () => {
          heard = true;
        });
        abort.abort();
        return new Promise(() => {});
      },
    };
    const engine = scriptedEngine([askRome]);
    const events = await collect(
      runTools(engine, { ...question, signal: abort.signal }, { functions: [slow], approve: "always" }),
    );
    expect(only(events, "done")).toMatchObject({ finishReason: "aborted", messages: [] });
    expect(heard).toBe(true);
  });

  it("after approval starts nothing", async () => {
    const before = seen.length;
    const { done, engine } = await abortedWhen("tool-start", always);
    expect(done).toMatchObject({ finishReason: "aborted", messages: [] });
    expect([seen.length, engine.requests.length]).toEqual([before, 1]);
  });

  it("ends the wait for approval", async () => {
    const approve = () => new Promise<boolean>(() => {});
    const { done } = await abortedWhen("round-done", { functions: [weather], approve });
    expect(done).toMatchObject({ finishReason: "aborted", messages: [] });
  });

  it("in the answer keeps what was said, and the rounds before it", async () => {
    const { done } = await abortedWhen("content", always);
    expect(done.finishReason).toBe("aborted");
    expect(done.messages.at(-1)).toEqual({ role: "assistant", content: "2" });
    expect(done.messages.length).toBe(3);
  });
});
