// xgrammar merges alternatives that stand in one rule too far: see `apart` in ebnf.ts.
import { describe, expect, it } from "vitest";
import { createMatcher } from "../testing/grammar-matcher.ts";
import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

const { matches } = createMatcher();

describe("alternatives that begin or end alike take what they list and nothing else", () => {
  it.each([
    [{ enum: ["pac", "qbc", "qbd"] }, ['"pac"', '"qbc"', '"qbd"'], ['"pad"']],
    [{ enum: [143, 253, 254] }, ["143", "253", "254"], ["144"]],
    [{ enum: ["\u1680", "\u2000", "\u2001"] }, ['"\u1680"', '"\u2001"'], ['"\u1681"']],
    [{ anyOf: [{ const: "pac" }, { const: "qbc" }, { const: "qbd" }] }, ['"pac"', '"qbd"'], ['"pad"']],
    [{ type: "string", pattern: "^(pac|qbc|qbd)$" }, ['"pac"', '"qbc"'], ['"pad"']],
    [{ type: "string", pattern: "^pac$|^qbc$|^qbd$" }, ['"pac"', '"qbc"'], ['"pad"']],
    [{ type: "string", pattern: "^[\u1680\u2000-\u200a]$" }, ['"\u1680"', '"\u200a"'], ['"\u1681"']],
  ])("%j", async (schema, good, bad) => {
    const grammar = jsonSchemaGrammar(schema);
    for (const text of good) expect([text, await matches(grammar, text)]).toEqual([text, true]);
    for (const text of bad) expect([text, await matches(grammar, text)]).toEqual([text, false]);
  });
});
