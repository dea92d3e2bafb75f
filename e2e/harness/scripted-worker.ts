// The engine's worker with an engine that answers by script instead of a model: what a model does with tools, each time alike.
import { type ChatEvent, EngineError } from "../../src/index.ts";
import type { ChatRequest } from "../../src/runtime/types.ts";
import { aborted, createFakeEngine, fakeServices, fakeStats } from "../../src/testing/fake-engine.ts";
import { createHost } from "../../src/worker/host.ts";
import { serve } from "../../src/worker/serve.ts";

type Piece = Exclude<ChatEvent, { type: "done" }>;

const say = (text: string): Piece => ({ type: "content", text });
const think = (text: string): Piece => ({ type: "reasoning", text });
const call = (name: string, args: unknown): Piece => ({
  type: "tool-call",
  name,
  arguments: typeof args === "string" ? args : JSON.stringify(args),
});

/** The last tool result of the conversation, as the model reads it. */
function lastResult({ messages }: ChatRequest): string {
  return messages.findLast(({ role }) => role === "tool")?.content ?? "none";
}

type Script = readonly ((request: ChatRequest) => readonly Piece[])[];

/** Rounds by question. */
const scripts: Readonly<Record<string, Script>> = {
  weather: [
    () => [think("The user asks for the weather of Paris."), call("get_weather", { city: 4 })],
    () => [think("The city must be a text."), call("get_weather", { city: "Paris" })],
    (request) => [say(`It is said: ${lastResult(request)}`)],
  ],
  compute: [
    () => [think("Python can count."), call("python", "total = sum(range(10))\nprint(total)")],
    () => [call("python", "print(total * 2)")],
    (request) => [say(`Python says ${lastResult(request).trim()}.`)],
  ],
  read: [
    () => [think("Search first."), call("browser.search", { query: "oolong" })],
    () => [call("browser.open", { id: 0 })],
    () => [say("Oolong is partly oxidised【1†L2】, says [a site](https://elsewhere.example).")],
  ],
  settings: [
    ({ reasoning, responseFormat, tools, toolChoice, builtinTools, messages }) => [
      say(
        JSON.stringify({ reasoning, responseFormat, tools, toolChoice, builtinTools, said: messages.length }),
      ),
    ],
  ],
  json: [() => [say('{"name":"Anna","age":30,"tags":["a","<b>"],"address":{"city":"Berlin","zip":null}}')]],
  cut: [() => [say('{"name":"Anna","age"')]],
};

async function* chat(request: ChatRequest): AsyncGenerator<ChatEvent> {
  const asked = request.messages.findLastIndex(({ role }) => role === "user");
  const script = scripts[request.messages[asked]?.content ?? ""];
  const numRounds = request.messages.slice(asked).filter(({ role }) => role === "assistant").length;
  const round = script?.[numRounds];
  if (round === undefined) throw new EngineError("internal", `Round ${numRounds} is not in the script.`);
  const pieces = round(request);
  for (const piece of pieces) yield piece;
  if (request.signal?.aborted) await aborted(request.signal);
  const called = pieces.some(({ type }) => type === "tool-call");
  const finishReason = request.signal?.aborted ? "aborted" : called ? "tool-call" : "stop";
  yield { type: "done", finishReason, stats: fakeStats };
}

const host = createHost(fakeServices(createFakeEngine({ chat })));
serve(host.api, globalThis as unknown as Parameters<typeof serve>[1]);
