import { EngineError } from "../errors.ts";
import type { ChatMessage, ToolCall } from "./chat-types.ts";
import { harmonyTokens } from "./harmony-tokens.ts";
import type { HarmonyMessage } from "./types.ts";

/** Where calls of a tool go, and the form in which the model writes them. */
interface Address {
  readonly recipient: string;
  readonly channel: "analysis" | "commentary";
  readonly contentType: string;
}

/**
 * Harmony messages of a conversation. An assistant's message is its analysis, then its preamble and calls, or
 * its final answer. Each call stands before its result, since the model makes one call at a time.
 * `functionNames`: functions defined by the caller; only they can take a built-in tool's name.
 * @throws request-invalid for a role that is unknown, a call without result, or a result without call
 */
export function harmonyTurns(
  messages: readonly ChatMessage[],
  functionNames: ReadonlySet<string>,
): HarmonyMessage[] {
  const rendered: HarmonyMessage[] = [];
  let open: ToolCall[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      const index = open.findIndex((call) => call.name === message.name);
      const call = open[index];
      if (call === undefined)
        throw invalid(`has a result of ${quote(message.name)} that no call before asked for`);
      open = open.toSpliced(index, 1);
      rendered.push(...callAndResult(call, message.content, functionNames));
      continue;
    }
    requireAnswered(open);
    rendered.push(...ownMessages(message));
    if (message.role === "assistant") open = [...(message.toolCalls ?? [])];
  }
  requireAnswered(open);
  return rendered;
}

function ownMessages(message: Exclude<ChatMessage, { role: "tool" }>): HarmonyMessage[] {
  const { role, content } = message;
  switch (role) {
    case "system":
      return [{ role: "developer", content: { instructions: content } }];
    case "user":
      return [{ role, content }];
    case "assistant":
      return assistantMessages(message);
    default:
      throw invalid(
        `knows the roles system, user, assistant and tool, got "${String(role satisfies never)}"`,
      );
  }
}

function assistantMessages(message: Extract<ChatMessage, { role: "assistant" }>): HarmonyMessage[] {
  const { role, content, reasoning = "", toolCalls = [] } = message;
  const analysis: HarmonyMessage[] =
    reasoning === "" ? [] : [{ role, channel: "analysis", content: reasoning }];
  if (toolCalls.length === 0) return [...analysis, { role, channel: "final", content }];
  // What was said to the user before a call is a preamble: the turn goes on.
  return content === "" ? analysis : [...analysis, { role, channel: "commentary", content }];
}

function callAndResult(
  call: ToolCall,
  result: string,
  functionNames: ReadonlySet<string>,
): [HarmonyMessage, HarmonyMessage] {
  const { recipient, channel, contentType } = addressOf(call.name, functionNames);
  return [
    { role: "assistant", recipient, channel, contentType, content: call.arguments },
    { role: "tool", name: recipient, recipient: "assistant", channel, content: result },
  ];
}

/** Built-in tools are called on the analysis channel, functions on commentary, by the name of their namespace. */
function addressOf(name: string, functionNames: ReadonlySet<string>): Address {
  // A header's words are parted by white space: such a name would read as several words.
  if (name === "" || /\s/.test(name)) throw invalid(`has a call of a tool named ${quote(name)}`);
  const isBuiltin = (name === "python" || name.startsWith("browser.")) && !functionNames.has(name);
  if (isBuiltin) return { recipient: name, channel: "analysis", contentType: "code" };
  const contentType = `${harmonyTokens.constrain}json`;
  return { recipient: `functions.${name}`, channel: "commentary", contentType };
}

function requireAnswered([call]: readonly ToolCall[]): void {
  if (call === undefined) return;
  throw invalid(
    `needs a tool message with the result of each call, got none for ${quote(call.name)}; a call that was denied or failed has a text that says so`,
  );
}

function quote(name: string): string {
  return JSON.stringify(name);
}

function invalid(problem: string): EngineError {
  return new EngineError("request-invalid", `A chat prompt ${problem}.`);
}
