import { readFileSync } from "node:fs";
import { createHarmonyParser, type HarmonyParserOptions } from "./harmony-parser.ts";
import { createTokenizer } from "./tokenizer.ts";
import type { HarmonyEvent, HarmonyHeader, Tokenizer } from "./types.ts";

// What the tests of this folder share: the embedded model's tokenizer and reference, and harmony text by hand.

const folder = new URL("../../models/gpt-oss-nano/", import.meta.url);

export function readNano(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, folder), "utf8"));
}

export interface NanoReference {
  readonly prompts: readonly {
    readonly text: string;
    readonly prompt: readonly number[];
    readonly greedy: readonly number[];
    readonly greedy_text: string;
  }[];
}

export const nano: Tokenizer = createTokenizer(readNano("tokenizer.json"), readNano("tokenizer_config.json"));
export const reference = readNano("reference.json") as NanoReference;

/** Ids of harmony text with special tokens spelled out; `<|unknown|>` is an id without a token. */
export function harmonyIds(text: string): number[] {
  return text.split(/(<\|\w+\|>)/).flatMap((part) => {
    if (part === "<|unknown|>") return [nano.vocabSize + 7];
    const special = nano.specialTokens.get(part);
    return special === undefined ? nano.encode(part) : [special];
  });
}

export interface ParsedMessage extends HarmonyHeader {
  readonly content: string;
}

/** Messages of an event list. */
export function messagesOf(events: readonly HarmonyEvent[]): ParsedMessage[] {
  return events.flatMap((event) =>
    event.type === "message-end" ? [{ ...event.header, content: event.content }] : [],
  );
}

/** Recoveries of an event list. */
export function recoveriesOf(events: readonly HarmonyEvent[]): string[] {
  return events.flatMap((event) => (event.type === "recovery" ? [event.what] : []));
}

/** Events of a whole stream; the prompt ended in the assistant's start unless told otherwise. */
export function parse(
  ids: readonly number[],
  options: HarmonyParserOptions = { role: "assistant" },
): HarmonyEvent[] {
  const parser = createHarmonyParser(nano, options);
  return [...ids.flatMap((id) => parser.push(id)), ...parser.end()];
}

/** An assistant's message, as parsed. */
export function assistant(fields: Partial<ParsedMessage>): ParsedMessage {
  return { role: "assistant", content: "", ...fields };
}
