// Schemas that are no JSON, and characters of names and values that JSON texts cannot hold as they are.
import { describe, expect, it } from "vitest";
import { createMatcher } from "../testing/grammar-matcher.ts";
import { checkJsonSchema } from "./check-json-schema.ts";
import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

const { matches } = createMatcher();

describe("what is no schema is refused", () => {
  const circular: Record<string, unknown> = { type: "object" };
  circular.properties = { a: circular };
  let deep: unknown = {};
  for (let i = 0; i < 20_000; i++) deep = { items: deep };
  let value: unknown = 1;
  for (let i = 0; i < 3000; i++) value = [value];
  it.each([
    ["circular", circular, /written as JSON/],
    ["a BigInt", { const: 1n }, /written as JSON/],
    ["20,000 levels", deep, /written as JSON|nested more/],
    ["a value of 3000 levels", { const: value }, /JSON is nested more than 512/],
    ["a pointer that is no URI", { $ref: "#/$defs/a%", $defs: { "a%": { type: "string" } } }, /is no URI/],
  ])("%s", (_, schema, sentence) => {
    expect(() => checkJsonSchema(schema)).toThrow(
      expect.objectContaining({ code: "request-invalid", message: expect.stringMatching(sentence) }),
    );
  });
});

describe("line separators", () => {
  it.each(["\u2028", "a\u2029b"])("are written as escapes: %j", async (text) => {
    const escaped = `"${text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")}"`;
    expect(await matches(jsonSchemaGrammar({ enum: [text] }), escaped)).toBe(true);
    const object = { properties: { [text]: { const: [text] } }, required: [text] };
    expect(await matches(jsonSchemaGrammar(object), `{${escaped}:[${escaped}]}`)).toBe(true);
  });
});

describe("a byte order mark", () => {
  it("is part of the name that a length belongs to", async () => {
    const grammar = jsonSchemaGrammar({ properties: { "\ufeffa": { type: "string", maxLength: 2 } } });
    expect(await matches(grammar, '{"\ufeffa":"bc"}')).toBe(true);
    expect(await matches(grammar, '{"\ufeffa":"bcd"}')).toBe(false);
  });
});
