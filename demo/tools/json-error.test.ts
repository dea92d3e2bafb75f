import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonErrorOffset } from "./json-error.ts";

test.each([
  ["", 0],
  ["  ", 2],
  ["{", 1],
  ['{"a"', 4],
  ['{"a": ', 6],
  ["[1, 2", 5],
  ['[\n{ "name": x }]', 12],
  ["{ a: 1 }", 2],
  ['{"a": 1,}', 8],
  ["[1,]", 3],
  ['{"a" 1}', 5],
  ['{"a": "b', 6],
  ['["a\nb"]', 1],
  ["[01]", 2],
  ["{'a': 1}", 1],
  ["[1] 2", 4],
  ["[1}", 2],
  ['{"a": 1]', 7],
  ["{]", 1],
  ["nul", 0],
])("%j goes wrong at %d", (text, offset) => {
  expect(jsonErrorOffset(text)).toBe(offset);
});

test("valid JSON is read to its end, however it is written", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 3), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(jsonErrorOffset(text)).toBe(text.length);
    }),
  );
});

test("a place is given wherever JSON.parse refuses", () => {
  const cut = fc.tuple(fc.jsonValue(), fc.nat(), fc.constantFrom("", "x", ",", '"', "]", "}", "\n"));
  fc.assert(
    fc.property(cut, ([value, place, added]) => {
      const whole = JSON.stringify(value);
      const text = whole.slice(0, place % whole.length) + added + whole.slice((place % whole.length) + 1);
      let isValid = true;
      try {
        JSON.parse(text);
      } catch {
        isValid = false;
      }
      const offset = jsonErrorOffset(text);
      if (isValid) expect(offset).toBe(text.length);
      // What stands before the place is no reason to refuse: the same text, cut there, only ends too early.
      else expect(jsonErrorOffset(text.slice(0, offset))).toBe(offset);
    }),
  );
});

test("a text nested deeply has a place, too", () => {
  expect(jsonErrorOffset("[".repeat(100_000))).toBe(100_000);
});
