import { expect, it } from "vitest";
import { createLengthGuard, tokenLengths } from "./length-guard.ts";

const texts = [
  '"',
  "a",
  "é",
  "ab",
  "abc",
  'a"',
  'éa"',
  'abc"',
  '","',
  "\\",
  "\\n",
  'a\\"',
  "u00e9",
  '{"k":',
  "[",
  "]",
  ",",
];
const bytes = texts.map((text) => [...new TextEncoder().encode(text)]);
/** More tokens than a mask's word holds. */
const filler = Array.from({ length: 40 }, () => [...new TextEncoder().encode("x".repeat(30))]);
const lengths = tokenLengths([...bytes, ...filler]);

/** What may come after these tokens, of those above. */
function allowed(schema: unknown, ...tokens: string[]): string[] {
  const guard = createLengthGuard(schema, lengths);
  for (const token of tokens) guard.accept(texts.indexOf(token));
  const mask = new Uint32Array(Math.ceil((texts.length + filler.length) / 32)).fill(0xffffffff);
  guard.apply(mask);
  const has = (id: number) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
  const isLongAllowed = filler.every((_, i) => has(texts.length + i));
  return [...texts.filter((_, id) => has(id)), ...(isLongAllowed ? ["long"] : [])];
}

const without = (...gone: string[]) => texts.filter((text) => !gone.includes(text));
const text = { type: "string", minLength: 1, maxLength: 2 };

it.each<[string, unknown, string[], string[]]>([
  ["too short an end and what is too long", text, ['"'], without('"', '","', "abc", 'abc"', "u00e9")],
  [
    "what is too long after one character",
    text,
    ['"', "é"],
    without("ab", "abc", 'éa"', 'abc"', 'a\\"', "u00e9"),
  ],
  ["all but the end of a full string", text, ['"', "ab"], ['"', '","']],
  ["nothing of a string without limits", { type: "string" }, ['"', "abc"], [...texts, "long"]],
  ["nothing of a key", { type: "object", properties: { k: text } }, ['{"k":'], [...texts, "long"]],
])("takes out of a mask %s", (_, schema, tokens, expected) => {
  expect(allowed(schema, ...tokens)).toEqual(expected);
});

it("counts an escape as one character", () => {
  expect(allowed(text, '"', "a", "\\", "u00e9")).toEqual(['"', '","']);
});
