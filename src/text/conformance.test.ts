import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type ParseCase, parseCases, type RenderCase, renderCases } from "./conformance.fixture.ts";
import { dropAnalysis } from "./drop-analysis.ts";
import { messageJson, readConversation } from "./harmony-json.ts";
import { createHarmonyParser, type HarmonyParserOptions } from "./harmony-parser.ts";
import { renderConversation, renderForCompletion } from "./harmony-render.ts";
import { createRealTokenizer } from "./real.fixture.ts";
import type { HarmonyEvent } from "./types.ts";

const tokenizer = createRealTokenizer();

const hashOf = (ids: readonly number[]): string =>
  createHash("sha256").update(ids.join(",")).digest("hex").slice(0, 16);

function render({ messages, completion = true, keepAnalysis = false }: RenderCase): number[] {
  const conversation = readConversation({ messages });
  const kept = keepAnalysis ? conversation : dropAnalysis(conversation);
  return completion ? renderForCompletion(tokenizer, kept) : renderConversation(tokenizer, kept);
}

/** Ids of a text with special tokens spelled out. */
function idsOf(text: string): number[] {
  return text.split(/(<\|\w+\|>)/).flatMap((part) => {
    const special = tokenizer.specialTokens.get(part);
    return special === undefined ? tokenizer.encode(part) : [special];
  });
}

function events(ids: readonly number[], options: HarmonyParserOptions): HarmonyEvent[] {
  const parser = createHarmonyParser(tokenizer, options);
  return [...ids.flatMap((id) => parser.push(id)), ...parser.end()];
}

const messagesOf = (list: readonly HarmonyEvent[]) =>
  list.flatMap((event) => (event.type === "message-end" ? [messageJson(event.header, event.content)] : []));

describe("conformance to openai/harmony", () => {
  it("has all of its fixtures", () => expect(renderCases.length + parseCases.length).toBe(23));

  it.each(renderCases.map((each) => [each.name, each] as const))("renders %s", (_name, each) => {
    const ids = render(each);
    expect(ids.length).toBe(each.numTokens);
    expect(hashOf(ids)).toBe(each.hash);
  });

  it.each(parseCases.map((each) => [each.name, each] as const))("parses %s", (_name, each: ParseCase) => {
    const ids = idsOf(each.text);
    expect(ids.length).toBe(each.numTokens);
    expect(hashOf(ids)).toBe(each.hash);
    const role = each.role === undefined ? {} : { role: each.role };
    expect(messagesOf(events(ids, { ...role, strict: true }))).toEqual(each.messages);
    expect(messagesOf(events(ids, role))).toEqual(each.messages);
  });
});
