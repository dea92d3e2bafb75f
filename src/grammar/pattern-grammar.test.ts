import { describe, expect, it } from "vitest";
import { createMatcher } from "../testing/grammar-matcher.ts";
import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

const { matches, draw } = createMatcher();
const ofPattern = (pattern: string) => jsonSchemaGrammar({ type: "string", pattern });

describe("sets of classes are exact", () => {
  it.each([
    "^[^\\S]{1,3}$",
    "^[^\\S\\n]{1,3}$",
    "^[^\\s]{1,3}$",
    "^[^\\W]{1,3}$",
    "^[^\\D]{1,3}$",
    "^[\\s\\S]{1,3}$",
    "^\\s\\S$",
    "^[^\\W\\d]{1,3}$",
    "^[^\\x80-\\u{10ffff}]{2}$",
    "^[\\ud83d\\ude00]$",
    "^(?:[\\S\\n]|\\s){3}$",
  ])("%s", async (pattern) => {
    const grammar = ofPattern(pattern);
    for (let seed = 0; seed < 12; seed++) {
      const text = await draw(grammar, seed);
      if (text === undefined) throw new Error("these patterns bound their texts");
      expect(JSON.parse(text)).toMatch(new RegExp(pattern, "u"));
    }
  });

  it("take what they name, and nothing else", async () => {
    expect(await matches(ofPattern("^[^\\S]$"), '"\u3000"')).toBe(true);
    expect(await matches(ofPattern("^[^\\S]$"), '"ȑ"')).toBe(false);
    expect(await matches(ofPattern("^[\\s\\S]$"), '"最"')).toBe(true);
    expect(await matches(ofPattern("^[^\\ud83d\\ude00]$"), '"😀"')).toBe(false);
    expect(await matches(ofPattern("^\\ud83d\\ude00$"), '"😀"')).toBe(true);
  });
});

describe("repetitions", () => {
  const many = (pattern: (i: number) => string) => ({
    properties: Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`p${i}`, { type: "string", pattern: pattern(i) }]),
    ),
  });

  it.each([
    [{ type: "string", pattern: "^([a-z]{1,1000}){1,1000}$" }],
    [{ type: "string", pattern: "^(?:(?:a{30}){30}){30}$" }],
    [{ type: "string", pattern: "^([^\\s]{1,100}){20}$" }],
    [many((i) => `^[a-z]{1,500}${i}$`)],
  ])("are refused where they multiply: %j", (schema) => {
    expect(() => jsonSchemaGrammar(schema)).toThrow(
      expect.objectContaining({
        code: "request-invalid",
        message: expect.stringMatching(/"pattern" is too large/),
      }),
    );
  });

  it("of a pattern that comes again count once", () => {
    expect(() => jsonSchemaGrammar(many(() => "^[a-z]{1,500}$"))).not.toThrow();
    expect(() => jsonSchemaGrammar({ type: "string", pattern: "^[a-z]{1,1000}$" })).not.toThrow();
  });
});
