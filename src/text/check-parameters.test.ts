import { describe, expect, it } from "vitest";
import { checkParameters } from "./check-parameters.ts";

describe("checkParameters", () => {
  it.each<[string, unknown, RegExp]>([
    [
      "a type that does not exist",
      { type: "objct" },
      /function f have the type "objct" at "\/type"; expected object/,
    ],
    [
      "one inside",
      { type: "object", properties: { a: { type: "array", items: { type: "str" } } } },
      /"str" at "\/properties\/a\/items\/type"/,
    ],
    [
      "one in a list",
      { anyOf: [{ type: "string" }, { type: ["null", "int"] }] },
      /\["null","int"\] at "\/anyOf\/1\/type"/,
    ],
    ["a text", "object", /are "object"; expected a JSON schema/],
    ["a list", [], /are \[\]; expected a JSON schema/],
  ])("refuses %s", (_, parameters, message) => {
    expect(() => checkParameters("f", parameters)).toThrow(message);
  });
  it.each<[string, unknown]>([
    ["none", undefined],
    ["null", null],
    ["true", true],
    ["no type", { properties: { a: {} } }],
    ["a property named type", { type: "object", properties: { type: { type: "string" } } }],
    ["several types", { type: ["string", "null"] }],
    [
      "words in other keywords",
      { enum: [{ type: "objct" }], default: { type: "x" }, examples: [{ type: 1 }] },
    ],
  ])("takes %s", (_, parameters) => {
    expect(() => checkParameters("f", parameters)).not.toThrow();
  });
});
