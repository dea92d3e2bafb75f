// Grammars against a validator: texts drawn by chance from the masks that they give are valid JSON under their schemas.
import { Validator } from "@cfworker/json-schema";
import { describe, expect, it } from "vitest";
import { createMatcher } from "../testing/grammar-matcher.ts";
import { structuredCases } from "../testing/structured-schemas.ts";
import { nano } from "../text/nano.fixture.ts";
import { jsonObjectGrammar } from "./json-grammar.ts";
import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

const end = nano.special("<|return|>");
const ebnf = (text: string) => ({ ebnf: text });
const { engine, matches, draw } = createMatcher();
const has = (mask: Uint32Array, id: number) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;

describe("texts drawn from a grammar", () => {
  it.each(structuredCases)("$name: are valid under the schema", async ({ schema }) => {
    const grammar = jsonSchemaGrammar(schema);
    const validator = new Validator(schema, "2020-12", false);
    for (let seed = 0; seed < 8; seed++) {
      const text = await draw(grammar, seed);
      if (text === undefined) throw new Error("these schemas bound their texts");
      const { valid, errors } = validator.validate(JSON.parse(text));
      expect(valid, `${text}\n${JSON.stringify(errors.at(-1))}`).toBe(true);
    }
  });

  it("of any JSON object parse", async () => {
    let ended = 0;
    for (let seed = 0; seed < 12; seed++) {
      const text = await draw(jsonObjectGrammar, seed, 2000);
      if (text === undefined) continue;
      ended += 1;
      expect(JSON.parse(text)).toBeTypeOf("object");
    }
    expect(ended).toBeGreaterThan(2);
  });
});

describe("a grammar takes", () => {
  const strings = { type: "array", items: { type: "string", maxLength: 3 } };
  const numbers = { type: "number", minimum: -0.75, exclusiveMaximum: 12.5 };
  const cases: readonly (readonly [unknown, readonly string[], readonly string[]])[] = [
    [
      { type: "object" },
      ['{"a":[1,{"b":null}],"é":"\\n"}', "{}", '{\n  "a": 1\n}'],
      ["[]", '{"a":\t1}', '{"a":01}', '{"a"}'],
    ],
    [strings, ['["abc","😀😀😀","\\u00e9"]', "[]"], ['["abcd"]', '["\t"]', '["\\ud83d"]']],
    [
      { type: "integer", minimum: -12, maximum: 305 },
      ["-12", "0", "99", "305"],
      ["-13", "306", "-0", "1.0", "007"],
    ],
    [numbers, ["-0.75", "-0.5", "0", "12.4999", "12", "3.25"], ["-0.76", "12.5", "12.50", "13", "-1"]],
    [{ type: "number", exclusiveMinimum: 0 }, ["0.001", "1", "123.5"], ["0", "0.0", "-1"]],
    [{ type: "integer", exclusiveMinimum: 9, exclusiveMaximum: 101 }, ["10", "100"], ["9", "101"]],
    [
      { type: "number", minimum: 1, maximum: 1.05 },
      ["1", "1.05", "1.049", "1.00"],
      ["1.051", "1.06", "0.99", "2"],
    ],
    [{ type: "string", pattern: "a+b" }, ['"xaabx"', '"ab"'], ['"ba"']],
    [{ type: "string", pattern: "^(a|b)$|^c" }, ['"a"', '"cde"'], ['"ab"']],
    [{ type: "string", pattern: '^[\\w"é]{2}$' }, ['"é\\""', '"a_"'], ['"a-"']],
    [{ type: "string", pattern: "^[^\\s]$" }, ['"é"', '"a"'], ['" "']],
    [{ type: "string", pattern: "^.$" }, ['"最"', '"a"', '"\\t"'], ['"\\n"']],
    [{ enum: ["größer"] }, ['"größer"'], ['"grö෾r"']],
    [{ type: "string", format: "date" }, ['"2024-02-29"', '"1999-12-31"'], ['"2023-02-29"', '"2023-04-31"']],
    [{ type: "array", minItems: 2 }, ["[1,2]", "[1, null, {}]"], ["[1]"]],
    [
      { prefixItems: [{ type: "null" }, { const: 1 }] },
      ["[null,1]", "[null]", "[]", "[null,1]"],
      ["[1]", "[null,1,2]"],
    ],
    [{ properties: { a: true, b: true }, required: ["b"] }, ['{"b":1}', '{"a":1,"b":2}'], ['{"a":1}', "{}"]],
    [{ enum: ["é", 1] }, ['"é"', "1"], ['"e"', "2"]],
    [{ type: "string", enum: ["a", 1] }, ['"a"'], ["1"]],
    [{ allOf: [{ $ref: "#/$defs/a" }], $defs: { a: { type: "null" } } }, ["null"], ["1"]],
    [{ type: "integer", anyOf: [{ minimum: 5 }, { maximum: -5 }] }, ["5", "-5"], ["0"]],
  ];
  it.each(cases)("%j", async (schema, good, bad) => {
    const grammar = jsonSchemaGrammar(schema);
    for (const text of good) expect([text, await matches(grammar, text)]).toEqual([text, true]);
    for (const text of bad) expect([text, await matches(grammar, text)]).toEqual([text, false]);
  });
});

describe("a schema that cannot be enforced is refused with its place", () => {
  // Null is valid under every one of these.
  const kind = (name: string) => ({
    type: ["object", "null"],
    properties: { kind: { const: name } },
    required: ["kind"],
  });
  const deep = (levels: number): unknown => (levels === 0 ? {} : { type: "array", items: deep(levels - 1) });
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ["text", /its top level.*must be an object/],
    [undefined, /must be an object/],
    [false, /allows no value/],
    [{ type: "array", uniqueItems: true }, /"uniqueItems" is not supported/],
    [{ properties: { a: { not: {} } } }, /at \/properties\/a, "not" is not supported/],
    [{ properties: { "a/b": { if: true, else: {} } } }, /at \/properties\/a~1b, "if" and "else"/],
    [{ type: "number", multipleOf: 3 }, /"multipleOf"/],
    [{ type: "string", format: "uri" }, /format "uri"/],
    [{ type: "string", pattern: "(?=a)" }, /lookaround/],
    [{ type: "string", pattern: "[" }, /no regular expression/],
    [{ type: "string", pattern: "\\bx" }, /\\b/],
    [{ type: "string", pattern: "a", maxLength: 3 }, /"pattern" together with "maxLength"/],
    [{ type: "text" }, /"type" must be one of/],
    [{ $ref: "other.json" }, /must point into this schema/],
    [{ $ref: "#/$defs/a" }, /points to nothing/],
    [{ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }, /refers to itself/],
    [{ oneOf: [{ type: "integer" }, { type: "number" }] }, /branches 0 and 1/],
    [{ oneOf: [kind("a"), kind("b")] }, /branches 0 and 1/],
    [{ oneOf: [{ const: { a: 1, b: 2 } }, { const: { b: 2, a: 1 } }] }, /branches 0 and 1/],
    [{ type: "integer", minimum: 3, maximum: 2 }, /no number/],
    [{ type: "string", minLength: 3, maxLength: 2 }, /less than/],
    [{ type: "string", maxLength: 1e6 }, /at most 10000/],
    [{ type: "object", required: ["a"], additionalProperties: false }, /not declared/],
    [deep(300), /nested more than 64/],
    [{ description: "x".repeat(300_000) }, /characters/],
  ];
  it.each(cases)("%#", (schema, sentence) => {
    expect(() => jsonSchemaGrammar(schema)).toThrow(
      expect.objectContaining({ code: "request-invalid", message: expect.stringMatching(sentence) }),
    );
  });
});

describe("the grammar engine", () => {
  it("fails what it is asked after a crash once, and then works again", async () => {
    await expect(engine.start(ebnf("root ::= ("), [end])).rejects.toMatchObject({ code: "grammar-failed" });
    expect(await matches(ebnf('root ::= "a"'), "a")).toBe(true);
    const constraint = await engine.start(ebnf('root ::= "a"'), [end]);
    await expect(constraint.accept(nano.encode("b")[0] ?? 0)).rejects.toMatchObject({
      code: "grammar-failed",
    });
    expect(await matches(ebnf('root ::= "b"'), "b")).toBe(true);
  });

  it("never allows special tokens, but for the end", async () => {
    const specials = [...nano.specialTokens.values()];
    const constraint = await engine.start(jsonObjectGrammar, [end]);
    let mask = constraint.first;
    for (const token of nano.encode('{"a":"b"')) {
      expect(specials.filter((id) => has(mask, id))).toEqual([]);
      mask = await constraint.accept(token);
    }
    mask = await constraint.accept(nano.encode("}")[0] ?? 0);
    expect(specials.filter((id) => has(mask, id))).toEqual([end]);
  });
});
