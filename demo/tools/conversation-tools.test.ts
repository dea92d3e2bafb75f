import { describe, expect, test } from "vitest";
import { createDocumentBackend, type PythonTool, runTools } from "../../src/index.ts";
import { call, collect, say, scriptedEngine } from "../../src/tools/scripted-engine.fixture.ts";
import { approvalSentence, argumentsText, stateAfter } from "./call-texts.ts";
import { type CallDesk, createConversationTools, toolOf } from "./conversation-tools.ts";

const request = { messages: [{ role: "user", content: "go" }] } as const;
const add = { name: "add", description: "" };
const tea = { url: "document://tea", title: "tea", text: "Oolong is partly oxidised." };

function fakePython() {
  const log: string[] = [];
  const tool: PythonTool = {
    name: "python",
    run: async (toolCall) => {
      log.push(toolCall.arguments);
      return "ran";
    },
    reset: () => log.push("reset"),
    dispose: () => {},
  };
  return { tool, log };
}

/** Says yes, and allows the tool where told; answers functions with the number of the call. */
function desk({ isAllowing = false, isApproving = true } = {}) {
  const asked: string[] = [];
  const fake: CallDesk = {
    approve: async ({ name }, allow) => {
      asked.push(name);
      if (isAllowing) allow();
      return isApproving;
    },
    result: async ({ id }) => `result ${id}`,
  };
  return { ...fake, asked };
}

describe("a conversation's tools", () => {
  test("are off unless chosen", () => {
    const { functions, builtins } = createConversationTools().options({}, desk());
    expect([functions, builtins]).toEqual([[], []]);
  });

  test("each call is asked for, and the user's results go with their calls", async () => {
    const user = desk();
    const options = createConversationTools().options({ functions: [add] }, user);
    const engine = scriptedEngine([[call("add", {})], [call("add", {})], [say("ok")]]);
    const events = await collect(runTools(engine, request, options));
    expect(user.asked).toEqual(["add", "add"]);
    expect(events.flatMap((event) => (event.type === "tool-result" ? [event.result] : []))).toEqual([
      "result 0",
      "result 1",
    ]);
  });

  test("a denied call does not run", async () => {
    const { tool, log } = fakePython();
    const user = desk({ isApproving: false });
    const options = createConversationTools(() => tool).options({ python: true }, user);
    await collect(runTools(scriptedEngine([[call("python", "1")], [say("ok")]]), request, options));
    expect(log).toEqual([]);
  });

  test("an allowed tool is not asked for again, until the conversation ends", async () => {
    const { tool, log } = fakePython();
    const tools = createConversationTools(() => tool);
    const user = desk({ isAllowing: true });
    const turn = () =>
      collect(
        runTools(
          scriptedEngine([[call("python", "1")], [call("add", {})], [say("ok")]]),
          request,
          tools.options({ python: true, functions: [add] }, user),
        ),
      );
    await turn();
    await turn();
    expect(user.asked).toEqual(["python", "add"]);
    tools.reset();
    await turn();
    expect(user.asked).toEqual(["python", "add", "python", "add"]);
    expect(log).toEqual(["1", "1", "reset", "1"]);
  });

  test("the browser keeps its pages when documents are added, and forgets them with the conversation", async () => {
    const tools = createConversationTools();
    const search = (query: string, documents: readonly (typeof tea)[]) =>
      collect(
        runTools(
          scriptedEngine([
            [call("browser.search", { query })],
            [call("browser.open", { id: 0 })],
            [say("ok")],
          ]),
          request,
          tools.options({ browser: createDocumentBackend(documents) }, desk()),
        ),
      );
    await search("oolong", [tea]);
    await search("coffee", [tea, { url: "document://coffee", title: "coffee", text: "Coffee is roasted." }]);
    const links = (text: string) => tools.annotate(text, { hidePartial: false }).text;
    expect(links("A【1†L1】 B【3†L1】")).toBe("A ([tea](document://tea))  B ([coffee](document://coffee)) ");
    tools.reset();
    expect(links("A【1†L1】")).toBe("A【1†L1】");
  });
});

describe("what a card says", () => {
  const made = { id: 0, name: "add", arguments: '{"a":[1]}' };

  test("the tool of a call", () => {
    expect(["browser.open", "python", "get_x"].map((name) => toolOf({ name }))).toEqual([
      "browser",
      "python",
      "get_x",
    ]);
  });

  test("arguments: JSON with indents, code as it is", () => {
    expect(argumentsText(made)).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(argumentsText({ name: "python", arguments: "\n1\n" })).toBe("1");
    expect(argumentsText({ name: "add", arguments: "{a" })).toBe("{a");
  });

  test("who runs what, before it is approved", () => {
    expect(approvalSentence({ name: "python" })).toContain("Python");
    expect(approvalSentence({ name: "browser.find" })).toContain("documents");
    expect(approvalSentence({ name: "add" })).toContain("you type what it returns");
  });

  test("what became of it", () => {
    const result = { type: "tool-result", call: made, result: "", durationMs: 1 } as const;
    expect(stateAfter(result).state).toBe("done");
    expect(stateAfter({ ...result, failure: "timeout" })).toEqual({ state: "failed", text: "Took too long" });
    expect(stateAfter({ ...result, failure: "unknown-tool" }).text).toBe("There is no such tool");
    expect(stateAfter({ type: "tool-start", call: made, approvalMs: 1 }).state).toBe("running");
    expect(stateAfter({ type: "tool-denied", call: made, result: "", approvalMs: 1 }).state).toBe("denied");
    const invalid = { type: "invalid-arguments", call: made, result: "", problems: [] } as const;
    expect(stateAfter(invalid).state).toBe("invalid");
  });
});
