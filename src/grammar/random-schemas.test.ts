// Schemas made by chance, of words that begin and end alike: what their grammars draw is valid under them.
import { Validator } from "@cfworker/json-schema";
import { describe, expect, it } from "vitest";
import { isEngineError } from "../errors.ts";
import { seededRandom } from "../testing/data.ts";
import { createMatcher } from "../testing/grammar-matcher.ts";
import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

const { draw } = createMatcher();
const letters = ["a", "b", "c", "\u1680", "\u2000", "\u2001", "é", "ê"];
const types = ["string", "integer", "number", "null", "object", "array"];

function randomSchemas(random: () => number) {
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const some = <T>(make: () => T, least = 1, most = 4): T[] =>
    Array.from({ length: least + below(most - least + 1) }, make);
  const word = () => some(() => pick(letters), 1, 3).join("");

  function pattern(depth: number): string {
    const kind = depth === 0 ? 0 : below(5);
    if (kind <= 1) return pick([...letters, "[ab]", "[^b]", "\\s", "[^\\S]", "[é-ü]", "\\n", "\\W"]);
    if (kind === 2) return pattern(depth - 1) + pattern(depth - 1);
    if (kind === 3) return `(?:${some(() => pattern(depth - 1), 2, 3).join("|")})`;
    return `(?:${pattern(depth - 1)})${pick(["?", "{1,2}", "{0,2}", "{2}"])}`;
  }

  function object(depth: number): object {
    const properties = Object.fromEntries(some(() => [word(), schema(depth - 1)] as const));
    const required = Object.keys(properties).filter(() => random() < 0.5);
    return { type: "object", properties, required, ...pick([{}, { unevaluatedProperties: false }]) };
  }

  function schema(depth: number): object {
    const minimum = below(4000) / 100 - 20;
    const simple = [
      () => ({ enum: some(() => pick([word(), below(300)]), 2, 6) }),
      () => ({ type: "string", pattern: `^${pattern(3)}$` }),
      () => ({
        type: pick(["number", "integer"]),
        minimum,
        exclusiveMaximum: minimum + 1 + below(3000) / 100,
      }),
      () => ({ type: pick([types[0], some(() => pick(types.slice(0, 4)))]), maxLength: below(4) }),
    ];
    const nested = [
      () => object(depth),
      () => ({ type: "array", items: schema(depth - 1), maxItems: 3 }),
      () => ({
        type: pick([pick(types), [pick(types), "string"]]),
        anyOf: some(() => schema(depth - 1), 1, 3),
      }),
      () => ({ anyOf: some(() => schema(depth - 1), 1, 3) }),
    ];
    return pick(depth > 0 ? [...simple, ...nested, ...nested] : simple)();
  }

  return schema;
}

describe("texts drawn from random schemas", () => {
  it("are valid, or the schema is refused", async () => {
    const schemas = randomSchemas(seededRandom(7));
    let drawn = 0;
    for (let i = 0; i < 150; i++) {
      const schema = schemas(3);
      const grammar = grammarOf(schema);
      if (grammar === undefined) continue;
      const validator = new Validator(schema, "2020-12", false);
      for (let seed = 0; seed < 3; seed++) {
        const text = await draw(grammar, seed, 200);
        if (text === undefined) continue;
        drawn += 1;
        expect(validator.validate(JSON.parse(text)).valid, `${JSON.stringify(schema)}\n${text}`).toBe(true);
      }
    }
    expect(drawn).toBeGreaterThan(100);
  }, 60_000);
});

function grammarOf(schema: object) {
  try {
    return jsonSchemaGrammar(schema);
  } catch (error) {
    if (isEngineError(error, "request-invalid")) return undefined;
    throw error;
  }
}
