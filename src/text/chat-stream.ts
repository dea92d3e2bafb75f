import { knownChannel, typeWords } from "./harmony-header.ts";
import { harmonyTokens } from "./harmony-tokens.ts";
import type { HarmonyEvent, HarmonyHeader } from "./types.ts";

/**
 * The model's output was malformed and was mended; the answer goes on. `kind` says what was wrong, in words; `text`
 * is generated text that is in no other event, such as stray words of a header, and may be empty.
 */
export interface RecoveryEvent {
  readonly type: "recovery";
  readonly kind: string;
  readonly text: string;
}

/** A piece of an answer, as chat interfaces show it. */
export type ChatDelta =
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "content"; readonly text: string }
  /** `name` without the `functions.` prefix; `arguments` as the model wrote them, not parsed. */
  | { readonly type: "tool-call"; readonly name: string; readonly arguments: string }
  | RecoveryEvent;

/** Turns parser events into chat deltas, one parser event at a time. */
export interface ChatStream {
  push(event: HarmonyEvent): ChatDelta[];
}

/** Between two messages that go to the same place, e.g. a preamble and the final answer. */
const MESSAGE_SEPARATOR = "\n\n";
const FUNCTIONS_PREFIX = "functions.";

/** Recipients that are no tools: what is written to them goes where its channel says. */
const readers: readonly string[] = ["all", "user", "assistant"];

type Route = Exclude<ChatDelta["type"], "recovery">;

/**
 * Analysis is `reasoning`; final, commentary without recipient and unknown channels are `content`; a message
 * with a tool as recipient is one `tool-call` when it ends. Two messages of one kind are parted by a blank line.
 * The parser's recoveries are passed on, and words of a header that none of this shows become one.
 */
export function createChatStream(): ChatStream {
  const started = new Set<Route>();
  let separate = false;

  function text(type: "reasoning" | "content", piece: string): ChatDelta {
    const separator = separate && started.has(type) ? MESSAGE_SEPARATOR : "";
    separate = false;
    started.add(type);
    return { type, text: separator + piece };
  }

  return {
    push(event) {
      if (event.type === "recovery") return [recovery(event.what, event.text)];
      if (event.type === "message-start") {
        separate = true;
        return unshownWords(event.header);
      }
      if (event.type === "text") {
        const type = routeOf(event.header);
        return type === "tool-call" ? [] : [text(type, event.text)];
      }
      if (event.type === "message-end" && routeOf(event.header) === "tool-call") {
        return [{ type: "tool-call", name: callName(event.header), arguments: event.content }];
      }
      return [];
    },
  };
}

function routeOf({ role, recipient, channel }: HarmonyHeader): Route {
  // What a model writes in another's name is no answer to the user.
  if (role !== "assistant") return "reasoning";
  if (recipient !== undefined && !readers.includes(recipient)) return "tool-call";
  return channel === "analysis" ? "reasoning" : "content";
}

function callName({ recipient = "" }: HarmonyHeader): string {
  return recipient.startsWith(FUNCTIONS_PREFIX) ? recipient.slice(FUNCTIONS_PREFIX.length) : recipient;
}

const recovery = (kind: string, text = ""): RecoveryEvent => ({ type: "recovery", kind, text });

/** What a model wrote into a header where only known words say anything about the message. */
function unshownWords({ role, name, recipient, channel, contentType }: HarmonyHeader): RecoveryEvent[] {
  const type = contentType?.replace(harmonyTokens.constrain, "") ?? "";
  const author = [role, name].filter((word) => word !== undefined).join(":");
  const reader = recipient === undefined ? "" : ` to=${recipient}`;
  return [
    ...(role === "assistant" ? [] : [recovery("a message in another's name", author + reader)]),
    ...(role !== "assistant" || name === undefined ? [] : [recovery("a name of its own", name)]),
    ...(channel === undefined || knownChannel.test(channel) ? [] : [recovery("an unknown channel", channel)]),
    ...(type === "" || typeWords.includes(type) ? [] : [recovery("an unknown content type", type)]),
  ];
}
