import { describe, expect, it } from "vitest";
import { renderTools } from "./harmony-tools.ts";
import { schemaToType } from "./json-schema-type.ts";

describe("tools section", () => {
  it("sorts namespaces, comments functions and leaves prose of a namespace without functions raw", () => {
    const text = renderTools([
      { name: "python", description: "Runs code.\nStateful.", functions: [] },
      {
        name: "functions",
        description: "All mine.",
        functions: [
          { name: "get_location", description: "Gets the location.\nOf the user." },
          { name: "no_arguments", description: "", parameters: { type: "object", properties: {} } },
        ],
      },
    ]);
    expect(text).toBe(`# Tools

## functions

// All mine.
namespace functions {

// Gets the location.
// Of the user.
type get_location = () => any;

type no_arguments = (_: {
}) => any;

} // namespace functions

## python

Runs code.
Stateful.`);
  });
});

describe("type of a JSON Schema", () => {
  it("describes nested objects twice, indents them and keeps the order of properties", () => {
    const opts = {
      type: "object",
      description: "Options",
      properties: {
        a: { type: "string", description: "A" },
        l: {
          type: "array",
          items: { type: "object", properties: { x: { type: "integer" } }, required: ["x"] },
        },
      },
      required: ["a"],
    };
    const schema = {
      type: "object",
      properties: {
        opts,
        tags: { type: "array", items: { type: "string", enum: ["p", "q"] } },
        any: { anyOf: [{ type: "string" }] },
        u: { type: ["integer", "null"], default: null },
        arr: { type: "array" },
        b: { type: "boolean", default: false },
      },
      required: ["opts"],
    };
    expect(schemaToType(schema)).toBe(`{
// Options
opts:     // Options
{
    // A
    a: string,
    l?: {
        x: number,
        }[],
    },
tags?: "p" | "q"[],
any?: any,
u?: number | null, // default: null
arr?: Array<any>,
b?: boolean, // default: false
}`);
  });

  it("writes titles, examples, nullable, defaults and variants as the format does", () => {
    const schema = {
      type: "object",
      description: "params object",
      properties: {
        string: { type: "string", title: "STRING", description: "A string", examples: ["hello", 1, "world"] },
        nullable: { type: "string", nullable: true, description: "Maybe", default: "the default" },
        choice: { type: "string", enum: ["a", "b"], default: "a" },
        either: {
          oneOf: [
            { type: "string", default: "d" },
            { type: "number", description: "numbers can happen too", nullable: true },
            { type: "string", enum: ["x"], default: "x", description: "a oneof" },
          ],
          description: "a oneof",
          default: 20,
        },
        same: { oneOf: [{ type: "string", description: "first" }], description: "first" },
      },
      required: ["same"],
    };
    expect(schemaToType(schema)).toBe(`// params object
{
// STRING
//
// A string
// Examples:
// - "hello"
// - "world"
string?: string,
// Maybe
nullable?: string | null, // default: "the default"
choice?: "a" | "b", // default: a
// a oneof
// default: 20
either?:
 | string // default: "d"
 | number | null // numbers can happen too
 | "x" // default: x
,
same:
 | string
,
}`);
  });

  it.each<[string, unknown, string]>([
    [
      "oneOf before type",
      {
        type: "string",
        oneOf: [{ type: "integer" }, { type: "string", enum: ["e"], default: "e", description: "D" }],
      },
      '\n | number\n | "e" // D default: "e"',
    ],
    ["a list of types", { type: ["string", "integer", "null"] }, "string | number | null"],
    [
      "an array of arrays",
      { type: "array", items: { type: "array", items: { type: "number" } } },
      "number[][]",
    ],
    ["an enum without strings", { type: "string", enum: [1] }, "string"],
    ["a reference", { $ref: "#/a" }, "any"],
    ["null", { type: "null" }, "any"],
    ["no schema", true, "any"],
  ])("writes %s", (_name, schema, expected) => {
    expect(schemaToType(schema)).toBe(expected);
  });

  it("refuses a schema nested without end", () => {
    let schema: unknown = { type: "string" };
    for (let i = 0; i < 100; i++) schema = { type: "array", items: schema };
    expect(() => schemaToType(schema)).toThrow(/nested deeper than 64/);
  });
});
