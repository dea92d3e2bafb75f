/** Twenty JSON schemas as people write them, with a question each: nested, arrays, enums, numbers, optional fields, unicode. */
export interface StructuredCase {
  readonly name: string;
  readonly question: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

const text = { type: "string", maxLength: 24 } as const;
const object = (
  properties: Record<string, unknown>,
  required: readonly string[] = Object.keys(properties),
) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

export const structuredCases: readonly StructuredCase[] = [
  {
    name: "answer",
    question: "What is 17 + 25?",
    schema: object({ answer: { type: "integer" } }),
  },
  {
    name: "person",
    question: "Anna is 30 years old and lives in Berlin.",
    schema: object({ name: text, age: { type: "integer", minimum: 0, maximum: 130 }, city: text }),
  },
  {
    name: "optional",
    question: "Tom is a teacher.",
    schema: object(
      { name: text, age: { type: "integer" }, job: text, email: { type: "string", format: "email" } },
      ["name"],
    ),
  },
  {
    name: "sentiment",
    question: "I love this film!",
    schema: object({ sentiment: { type: "string", enum: ["positive", "negative", "neutral"] } }),
  },
  {
    name: "list",
    question: "List the planets.",
    schema: object({
      planets: { type: "array", items: text, minItems: 1, maxItems: 5 },
      count: { type: "integer" },
    }),
  },
  {
    name: "nested",
    question: "Maria works at Acme in Paris.",
    schema: object({
      person: object({
        name: text,
        address: object({ city: text, zip: { type: "string", pattern: "^[0-9]{5}$" } }),
      }),
    }),
  },
  {
    name: "rows",
    question: "Two apples for 1.50 and three pears for 2.",
    schema: object({
      items: {
        type: "array",
        maxItems: 3,
        items: object({ name: text, price: { type: "number", minimum: 0, exclusiveMaximum: 1000 } }),
      },
    }),
  },
  {
    name: "range",
    question: "Rate the film from 0.5 to 5.",
    schema: object({
      rating: { type: "number", minimum: 0.5, maximum: 5 },
      delta: { type: "number", minimum: -1.25, exclusiveMaximum: 0 },
    }),
  },
  {
    name: "integers",
    question: "Give three whole numbers.",
    schema: {
      type: "array",
      items: { type: "integer", minimum: -50, exclusiveMaximum: 1000 },
      minItems: 3,
      maxItems: 3,
    },
  },
  {
    name: "unicode",
    question: "Wie heißt die Hauptstadt?",
    schema: object({
      größe: { enum: ["klein", "größer", "最大"] },
      名前: { type: "string", minLength: 1, maxLength: 12 },
      "emoji 😀": { type: "boolean" },
    }),
  },
  {
    name: "nullable",
    question: "Is there a middle name?",
    schema: object({
      first: text,
      middle: { type: ["string", "null"], maxLength: 10 },
      last: { anyOf: [text, { type: "null" }] },
    }),
  },
  {
    name: "date",
    question: "When is the meeting?",
    schema: object({ day: { type: "string", format: "date" }, at: { type: "string", format: "time" } }, [
      "day",
    ]),
  },
  {
    name: "shapes",
    question: "A circle with radius 3.",
    schema: {
      oneOf: [
        object({ kind: { const: "circle" }, radius: { type: "number", exclusiveMinimum: 0, maximum: 100 } }),
        object({ kind: { const: "square" }, side: { type: "number", exclusiveMinimum: 0, maximum: 100 } }),
      ],
    },
  },
  {
    name: "tree",
    question: "Draw a small tree.",
    schema: {
      $ref: "#/$defs/node",
      $defs: {
        node: object(
          {
            label: { type: "string", maxLength: 8 },
            children: { type: "array", items: { $ref: "#/$defs/leaf" }, maxItems: 2 },
          },
          ["label"],
        ),
        leaf: object({ label: { type: "string", maxLength: 8 } }),
      },
    },
  },
  {
    name: "map",
    question: "Count the letters of banana.",
    schema: {
      type: "object",
      additionalProperties: { type: "integer", minimum: 0, maximum: 99 },
      minProperties: 1,
      maxProperties: 4,
    },
  },
  {
    name: "tuple",
    question: "Where is Rome?",
    schema: object({
      place: text,
      position: {
        type: "array",
        prefixItems: [
          { type: "number", minimum: -90, maximum: 90 },
          { type: "number", minimum: -180, maximum: 180 },
        ],
        items: false,
        minItems: 2,
      },
    }),
  },
  {
    name: "constants",
    question: "Say ok.",
    schema: object({ status: { const: "ok" }, version: { enum: [1, 2, null, true, { a: ['"\\'] }] } }),
  },
  {
    name: "quotes",
    question: "Quote the king.",
    schema: object(
      { 'the "quote"': { type: "string", minLength: 3, maxLength: 20 }, "back\\slash": { type: "boolean" } },
      [],
    ),
  },
  {
    name: "codes",
    question: "Give me a product code.",
    schema: object({
      code: { type: "string", pattern: "^(?:AB|CD)-\\d{2,4}[x-z]?$" },
      id: { type: "string", format: "uuid" },
      word: { type: "string", pattern: '^[^\\s"]{1,8}$' },
    }),
  },
  {
    name: "matrix",
    question: "A two by two matrix.",
    schema: {
      type: "array",
      minItems: 2,
      maxItems: 2,
      items: {
        type: "array",
        minItems: 2,
        maxItems: 2,
        items: { type: "number", minimum: -9.5, maximum: 9.5 },
      },
    },
  },
];
