// What stands beside branches and references holds for them, or is refused by name.
import { describe, expect, it } from "vitest";
import { createMatcher } from "../testing/grammar-matcher.ts";
import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

const { matches } = createMatcher();
const refused = (sentence: RegExp) =>
  expect.objectContaining({ code: "request-invalid", message: expect.stringMatching(sentence) });

describe("a type beside branches holds for each", () => {
  const mixed = { $defs: { mixed: { type: ["string", "integer"], maxLength: 3 } } };
  const cases: readonly (readonly [object, readonly string[], readonly string[]])[] = [
    [
      { type: "string", anyOf: [{ type: "integer" }, { type: "string", maxLength: 3 }] },
      ['"abc"'],
      ["7", '"abcd"'],
    ],
    [{ type: "string", anyOf: [true] }, ['"abc"'], ["null", "1"]],
    [{ type: "string", anyOf: [{}] }, ['"abc"'], ["null"]],
    [{ type: "string", allOf: [{ type: ["string", "null"] }] }, ['"abc"'], ["null"]],
    [{ type: "string", anyOf: [{ $ref: "#/$defs/mixed" }], ...mixed }, ['"abc"'], ["26", '"abcd"']],
    [{ type: "integer", anyOf: [{ type: "number", minimum: 5 }] }, ["5"], ["5.5", "4"]],
    [{ type: "number", anyOf: [{ type: ["integer", "string"] }] }, ["5"], ["5.5", '"a"']],
    [{ type: "string", oneOf: [{ type: "integer" }, { type: "string" }] }, ['"a"'], ["5"]],
    [{ type: "string", anyOf: [{ enum: [1, "a"] }, { const: 2 }] }, ['"a"'], ["1", "2"]],
    [
      { type: ["string", "null"], anyOf: [{ anyOf: [{ type: "null" }, { type: "integer" }] }] },
      ["null"],
      ["1"],
    ],
    [{ type: ["string", "integer"], anyOf: [{ minimum: 5 }] }, ["5", '"a"'], ["4", "null"]],
  ];
  it.each(cases)("%j", async (schema, good, bad) => {
    const grammar = jsonSchemaGrammar(schema);
    for (const text of good) expect([text, await matches(grammar, text)]).toEqual([text, true]);
    for (const text of bad) expect([text, await matches(grammar, text)]).toEqual([text, false]);
  });

  it.each([
    [
      { type: "string", anyOf: [{ type: "integer" }, { type: "integer", minimum: 5 }] },
      /no branch of "anyOf"/,
    ],
    [{ type: "string", allOf: [{ const: 5 }] }, /no branch of "allOf"/],
    [{ type: "string", allOf: [{ type: "integer" }, { type: "string" }] }, /several schemas/],
    [{ type: "string", anyOf: [{ $ref: "#" }] }, /without end/],
    [
      { type: "object", anyOf: [{ type: "null" }, { properties: { a: { $ref: "#" } }, required: ["a"] }] },
      /without end/,
    ],
  ])("and leaves none: %j", (schema, sentence) => {
    expect(() => jsonSchemaGrammar(schema)).toThrow(refused(sentence));
  });
});

describe("what else restricts values beside branches and references is refused", () => {
  const $defs = { a: { $ref: "#/$defs/b", minLength: 3 }, b: { type: "string" }, map: { type: "object" } };
  it.each([
    [{ anyOf: [{ type: "string" }], minLength: 3 }, /"anyOf" together with "minLength"/],
    [{ anyOf: [{ type: "string" }], enum: ["a"] }, /"anyOf" together with "enum"/],
    [{ anyOf: [{ type: "object" }], required: ["a"] }, /"anyOf" together with "required"/],
    [{ allOf: [{ type: "array" }], items: { type: "null" } }, /"allOf" together with "items"/],
    [{ oneOf: [{ type: "number" }], multipleOf: 1 }, /"oneOf" together with "multipleOf"/],
    [{ $ref: "#/$defs/b", type: "string", $defs }, /"\$ref" together with "type"/],
    [{ $ref: "#/$defs/a", $defs }, /"\$ref" together with "minLength"/],
    [{ enum: [1.5], multipleOf: 1 }, /"enum" together with "multipleOf"/],
    [
      { $ref: "#/$defs/map", $defs, unevaluatedProperties: false },
      /"unevaluatedProperties" is not supported/,
    ],
    [{ anyOf: [{ type: "array" }], unevaluatedItems: false }, /"unevaluatedItems" is not supported/],
    [{ type: "object", required: ["a"], unevaluatedProperties: false }, /not declared/],
    [{ enum: [{}], unevaluatedProperties: false }, /"enum" together with/],
    [{ properties: { a: { $id: "b", $ref: "#/$defs/c" } }, $defs: { c: true } }, /"\$id" below the top/],
  ])("%j", (schema, sentence) => {
    expect(() => jsonSchemaGrammar(schema)).toThrow(refused(sentence));
  });
});

describe("nothing unevaluated", () => {
  const properties = { a: { type: "null" } };
  it.each([
    [{ type: "object", unevaluatedProperties: false }, ["{}"], ['{"a":1}']],
    [{ type: "object", properties, unevaluatedProperties: false }, ['{"a":null}'], ['{"b":1}']],
    [
      { type: "object", additionalProperties: { const: 1 }, unevaluatedProperties: false },
      ['{"b":1}'],
      ['{"b":2}'],
    ],
    [{ type: "array", unevaluatedItems: false }, ["[]"], ["[1]"]],
    [{ type: "array", prefixItems: [{ const: 1 }], unevaluatedItems: false }, ["[1]"], ["[1,2]"]],
    [{ type: "array", items: { const: 1 }, unevaluatedItems: false }, ["[1,1]"], ["[2]"]],
    [{ multipleOf: 1 }, ["1"], ["1.5", "null"]],
  ])("%j", async (schema, good, bad) => {
    const grammar = jsonSchemaGrammar(schema);
    for (const text of good) expect([text, await matches(grammar, text)]).toEqual([text, true]);
    for (const text of bad) expect([text, await matches(grammar, text)]).toEqual([text, false]);
  });
});

describe("lengths of strings are those of the branch that holds strings", () => {
  it("where a branch of numbers has lengths of its own", async () => {
    const grammar = jsonSchemaGrammar({
      anyOf: [
        { type: "integer", maxLength: 2 },
        { type: "string", minLength: 3 },
      ],
    });
    expect(await matches(grammar, '"abcd"')).toBe(true);
    expect(await matches(grammar, '"ab"')).toBe(false);
  });
});
