import type { ChatEvent, ChatRequest } from "../runtime/types.ts";
import { fakeStats } from "../testing/fake-engine.ts";
import type { ChatEngine, ToolsEvent } from "./types.ts";

/** The events of one answer, its `done` left to the engine. */
export type ScriptedRound = readonly Exclude<ChatEvent, { type: "done" }>[];

export interface ScriptedEngine extends ChatEngine {
  /** What was asked, round by round. */
  readonly requests: ChatRequest[];
}

/** One request at a time, as engines take them. Answers each request with the next round of the script; an abort ends the answer. */
export function scriptedEngine(rounds: readonly ScriptedRound[]): ScriptedEngine {
  const requests: ChatRequest[] = [];
  let isBusy = false;
  return {
    requests,
    async *chat(request) {
      if (isBusy) throw new Error("busy");
      isBusy = true;
      const round = rounds[requests.length];
      requests.push(request);
      if (round === undefined) throw new Error(`round ${requests.length} is not scripted`);
      for (const event of round) {
        await Promise.resolve();
        if (request.signal?.aborted) break;
        yield event;
      }
      const called = round.some(({ type }) => type === "tool-call");
      const finishReason = request.signal?.aborted ? "aborted" : called ? "tool-call" : "stop";
      yield { type: "done", finishReason, stats: fakeStats };
      isBusy = false; // not where the caller left the loop
    },
  };
}

export const say = (text: string) => ({ type: "content", text }) as const;
export const think = (text: string) => ({ type: "reasoning", text }) as const;
export const call = (name: string, args: unknown) =>
  ({
    type: "tool-call",
    name,
    arguments: typeof args === "string" ? args : JSON.stringify(args),
  }) as const;

export async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** The event of a type, of which there must be one. */
export function only<Type extends ToolsEvent["type"]>(
  events: readonly ToolsEvent[],
  type: Type,
): Extract<ToolsEvent, { type: Type }> {
  const found = events.filter((event): event is Extract<ToolsEvent, { type: Type }> => event.type === type);
  const [event] = found;
  if (event === undefined || found.length > 1) {
    throw new Error(`${found.length} ${type} among ${JSON.stringify(events)}`);
  }
  return event;
}
