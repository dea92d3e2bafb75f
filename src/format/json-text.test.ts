import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJsonText, scanJson } from "./json-text.ts";

describe("parseJsonText", () => {
  it("parses JSON", () => {
    expect(parseJsonText("config.json", ' {"a": [1, {"a": 2}]} ')).toEqual({ a: [1, { a: 2 }] });
  });
  it.each([
    ["text that is no JSON", "<html>", /config\.json is not valid JSON/],
    ["a key named twice deep inside", '{"x":[{"k":1,"j":{"k":1},"k":2}]}', /"k" twice/],
    ["a key named twice with a string value between", '{"a":"b","b":"a","a":""}', /"a" twice/],
    ["text over the cap", `"${"x".repeat(60)}"`, /has 62 characters; at most 50/],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseJsonText("config.json", text, 50)).toThrow(message);
  });
});

describe("scanJson", () => {
  it("finds no fault in any JSON that JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, indent) => {
        const text = JSON.stringify(value, null, indent ? 2 : 0);
        expect(scanJson(text).duplicateKey).toBeUndefined();
      }),
      { numRuns: 1500 },
    );
  });
  it("finds any key repeated at any depth", () => {
    const key = fc.string();
    fc.assert(
      fc.property(key, fc.jsonValue(), fc.nat(5), (name, value, depth) => {
        const inner = `{${JSON.stringify(name)}:${JSON.stringify(value)},${JSON.stringify(name)}:0}`;
        const text = Array.from({ length: depth }).reduce<string>(
          (inside) => `{"in":["x",${inside}]}`,
          inner,
        );
        expect(scanJson(text).duplicateKey).toBe(name);
      }),
      { numRuns: 500 },
    );
  });
  it("tells plain whole numbers from others", () => {
    expect(scanJson('{"a":[0,12,true,null,"-1.5"]}').oddNumber).toBeUndefined();
    expect(scanJson('{"a":[0,1e3]}').oddNumber).toBe("1e3");
  });
});
