import { describe, expect, it } from "vitest";
import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

const self = { $ref: "#" };
const node = { $ref: "#/$defs/node" };
const orNull = { anyOf: [node, { type: "null" }] };
const withNode = (definition: object, more: object = {}) => ({
  $defs: { node: definition, ...more },
  ...node,
});

describe("references that hold themselves", () => {
  it.each([
    [{ type: "object", properties: { a: self }, required: ["a"] }],
    [{ properties: { a: self }, required: ["a"] }],
    [{ type: "array", items: self, minItems: 1 }],
    [{ type: "array", prefixItems: [{ type: "null" }, self], minItems: 2 }],
    [{ type: "object", additionalProperties: self, minProperties: 1 }],
    [
      {
        type: "object",
        properties: { a: { anyOf: [self, { type: "array", items: self, minItems: 1 }] } },
        required: ["a"],
      },
    ],
    [
      withNode(
        { properties: { b: { $ref: "#/$defs/b" } }, required: ["b"] },
        { b: { type: "array", items: node, minItems: 1 } },
      ),
    ],
    // Optional, but without end once begun.
    [
      {
        type: "object",
        properties: { a: node },
        $defs: { node: { type: "array", items: node, minItems: 1 } },
      },
    ],
  ])("are refused where they never end: %j", (schema) => {
    expect(() => jsonSchemaGrammar(schema)).toThrow(/without end/);
  });

  it.each([
    [{ type: "object", properties: { a: self } }],
    [{ type: "array", items: self }],
    [{ type: "array", prefixItems: [{ type: "null" }, self], minItems: 1 }],
    [{ type: "object", additionalProperties: self }],
    [{ type: ["object", "null"], properties: { a: self }, required: ["a"] }],
    [withNode({ type: "object", properties: { left: orNull, right: orNull }, required: ["left", "right"] })],
    [
      withNode(
        { type: "object", properties: { b: { $ref: "#/$defs/b" } }, required: ["b"] },
        { b: { type: "array", items: node } },
      ),
    ],
    [withNode({ allOf: [{ $ref: "#/$defs/b" }] }, { b: { enum: [1, { $ref: "#" }] } })],
  ])("are taken where they can end: %j", (schema) => {
    expect(jsonSchemaGrammar(schema).ebnf).toContain("ref");
  });
});
