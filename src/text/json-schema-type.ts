import { EngineError } from "../errors.ts";
import { compactJson, keyText } from "./json-source.ts";

type Schema = Readonly<Record<string, unknown>>;

const MAX_SCHEMA_DEPTH = 64;

/**
 * A JSON Schema as the TypeScript type text that gpt-oss was trained on. Odd spacing is the format's own:
 * nested types carry their indent, and `enum[]` has no parentheses.
 * @throws request-invalid for a schema nested too deep
 */
export function schemaToType(schema: unknown): string {
  return typeText(schema, "", 0);
}

function typeText(value: unknown, indent: string, depth: number): string {
  if (depth > MAX_SCHEMA_DEPTH) {
    const message = `Cannot describe a tool whose JSON Schema is nested deeper than ${MAX_SCHEMA_DEPTH}: flatten it.`;
    throw new EngineError("request-invalid", message);
  }
  const schema = asSchema(value);
  const variants = schema.oneOf;
  if (Array.isArray(variants)) return variants.map((variant) => variantLine(variant, indent, depth)).join("");
  const type = schema.type;
  const names = stringsOf(type);
  if (names.length > 0) return names.map((name) => (name === "integer" ? "number" : name)).join(" | ");
  switch (type) {
    case "object":
      return objectText(schema, indent, depth);
    case "string":
      return (
        stringsOf(schema.enum)
          .map((text) => `"${text}"`)
          .join(" | ") || "string"
      );
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return schema.items === undefined ? "Array<any>" : `${typeText(schema.items, indent, depth + 1)}[]`;
    default:
      return "any";
  }
}

function variantLine(value: unknown, indent: string, depth: number): string {
  const schema = asSchema(value);
  const comments: string[] = [];
  if (typeof schema.description === "string") comments.push(schema.description);
  // Here, unlike at a property, the default of an enum keeps its quotes.
  if (schema.default !== undefined) comments.push(`default: ${quotedDefault(schema.default)}`);
  return `\n${indent} | ${nullableText(schema, `${indent}   `, depth + 1)}${trailing(comments)}`;
}

function objectText(schema: Schema, indent: string, depth: number): string {
  const required = new Set(stringsOf(schema.required));
  const description = typeof schema.description === "string" ? `${indent}// ${schema.description}\n` : "";
  const properties = Object.entries(asSchema(schema.properties)).map(([name, value]) => {
    const key = keyText(name);
    const property = asSchema(value);
    const label = key + (required.has(key) ? "" : "?");
    return Array.isArray(property.oneOf)
      ? oneOfProperty(label, property, property.oneOf, { indent, depth })
      : plainProperty(label, property, { indent, depth });
  });
  return `${description}{\n${properties.join("")}${indent}}`;
}

interface Place {
  readonly indent: string;
  readonly depth: number;
}

function plainProperty(label: string, property: Schema, { indent, depth }: Place): string {
  const type = nullableText(property, `${indent}    `, depth + 1);
  const hasDefault = property.default !== undefined && !("oneOf" in property);
  const fallback = hasDefault ? ` // default: ${propertyDefault(property)}` : "";
  const description = "oneOf" in property ? [] : descriptionLine(property, indent);
  const above = [...titleLines(property, indent), ...description, ...exampleLines(property, indent)].join("");
  return `${above}${indent}${label}: ${type},${fallback}\n`;
}

function oneOfProperty(
  label: string,
  property: Schema,
  variants: readonly unknown[],
  { indent, depth }: Place,
): string {
  const description = property.description;
  const isFirstVariants = description === asSchema(variants[0]).description;
  const above = [...titleLines(property, indent), ...exampleLines(property, indent)];
  if (!isFirstVariants) above.push(...descriptionLine(property, indent));
  if (property.default !== undefined) above.push(`${indent}// default: ${propertyDefault(property)}\n`);
  const describedAbove = typeof description === "string" && !isFirstVariants;
  const lines = variants.map((value, index) => {
    const variant = asSchema(value);
    const own = variant.description;
    const comments: string[] = [];
    const hidden = index === 0 && describedAbove;
    if (typeof own === "string" && own !== description && !hidden) comments.push(own);
    if (variant.default !== undefined) comments.push(`default: ${propertyDefault(variant)}`);
    return `${indent} | ${nullableText(variant, `${indent}   `, depth + 1)}${trailing(comments)}\n`;
  });
  return `${above.join("")}${indent}${label}:\n${lines.join("")}${indent},\n`;
}

function nullableText(schema: Schema, indent: string, depth: number): string {
  const text = typeText(schema, indent, depth);
  return schema.nullable === true && !text.includes("null") ? `${text} | null` : text;
}

function titleLines(property: Schema, indent: string): string[] {
  return typeof property.title === "string" ? [`${indent}// ${property.title}\n${indent}//\n`] : [];
}

function descriptionLine(property: Schema, indent: string): string[] {
  return typeof property.description === "string" ? [`${indent}// ${property.description}\n`] : [];
}

function exampleLines(property: Schema, indent: string): string[] {
  const examples = property.examples;
  if (!Array.isArray(examples) || examples.length === 0) return [];
  return [`${indent}// Examples:\n`, ...stringsOf(examples).map((example) => `${indent}// - "${example}"\n`)];
}

function propertyDefault(schema: Schema): string {
  const value = schema.default;
  const isEnum = Array.isArray(schema.enum) && schema.enum.length > 0;
  return typeof value === "string" && isEnum ? value : quotedDefault(value);
}

/** Strings between plain quotes, unescaped; anything else as compact JSON. */
function quotedDefault(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : compactJson(value);
}

function trailing(comments: readonly string[]): string {
  return comments.length === 0 ? "" : ` // ${comments.join(" ")}`;
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}
