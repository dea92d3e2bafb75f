import type { HarmonyEvent, HarmonyHeader } from "./types.ts";

/** A piece of an answer, as chat interfaces show it. */
export type ChatDelta =
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "content"; readonly text: string }
  /** `name` without the `functions.` prefix; `arguments` as the model wrote them, not parsed. */
  | { readonly type: "tool-call"; readonly name: string; readonly arguments: string };

/** Turns parser events into chat deltas, one parser event at a time. */
export interface ChatStream {
  push(event: HarmonyEvent): ChatDelta[];
}

/** Between two messages that go to the same place, e.g. a preamble and the final answer. */
const MESSAGE_SEPARATOR = "\n\n";
const FUNCTIONS_PREFIX = "functions.";

/** Recipients that are no tools: what is written to them goes where its channel says. */
const readers: readonly string[] = ["all", "user", "assistant"];

type Route = ChatDelta["type"];

/**
 * Analysis is `reasoning`; final, commentary without recipient and unknown channels are `content`; a message
 * with a tool as recipient is one `tool-call` when it ends. Two messages of one kind are parted by a blank line.
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
      if (event.type === "message-start") separate = true;
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
