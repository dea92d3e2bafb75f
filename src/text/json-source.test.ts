import { describe, expect, it } from "vitest";
import { compactJson, keyText, parseJsonSource } from "./json-source.ts";

const again = (text: string) => compactJson(parseJsonSource(text));

describe("JSON as its source has it", () => {
  // The right side as serde_json 1.0 writes it (ryu's shortest form).
  it.each([
    ["1", "1"],
    ["1.0", "1.0"],
    ["0.0", "0.0"],
    ["-0", "-0.0"],
    ["0.5", "0.5"],
    ["1.50", "1.5"],
    ["1e2", "100.0"],
    ["1E-3", "0.001"],
    ["1e-5", "0.00001"],
    ["1e-6", "1e-6"],
    ["1234.5e-9", "1.2345e-6"],
    ["123456789012345680.0", "1.2345678901234568e17"],
    ["1e15", "1000000000000000.0"],
    ["1e16", "1e16"],
    ["1.5e300", "1.5e300"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["18446744073709551615", "18446744073709551615"],
    ["18446744073709551616", "1.8446744073709552e19"],
  ])("writes %s as %s", (text, expected) => {
    expect(again(text)).toBe(expected);
    expect(again(`[{"a": ${text}}, "${text}"]`)).toBe(`[{"a":${expected}},"${text}"]`);
  });

  it("keeps the order of keys", () => {
    const text = '{"b": {"10": 1, "2": [], "x": "1.0"}, "1": null, "\\"3\\"": true, "": "a\\\\"}';
    expect(again(text)).toBe(text.replace(/(?<=[:,]) /g, ""));
    expect(Object.keys(parseJsonSource('{"b":0,"10":0}') as object).map(keyText)).toEqual(["b", "10"]);
  });

  it("is JSON.parse for what JavaScript keeps", () => {
    const text = '{"a":[1,2.5,"x\\"1.0\\"",true,null,{}],"b c":"é💖"}';
    expect(parseJsonSource(text)).toEqual(JSON.parse(text));
    expect(() => parseJsonSource('{"a":1.}')).toThrow(SyntaxError);
  });
});
