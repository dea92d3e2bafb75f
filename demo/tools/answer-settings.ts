import { type ChatRequest, checkJsonSchema, isEngineError, type ResponseFormat } from "../../src/index.ts";
import { isRecord, type Parsed, parsed, parseJson, problem } from "./parse-json.ts";

/** How the model is to answer, besides the effort: fields of the request. */
export type AnswerSettings = Pick<ChatRequest, "reasoning" | "responseFormat" | "toolChoice">;

/** The response format chosen by name; `schema` is what was pasted, read for `json_schema` only. */
export function readResponseFormat(kind: string, schema: string): Parsed<ResponseFormat> {
  if (kind === "json_object") return parsed({ type: "json_object" });
  if (kind !== "json_schema") return parsed({ type: "text" });
  if (schema.trim() === "") return problem("Paste the JSON schema that the answer must satisfy.");
  const json = parseJson(schema);
  if (!json.ok) return json;
  if (!isRecord(json.value))
    return problem("A JSON schema is an object { … }; this is valid JSON, but no object.");
  return schemaFormat(json.value);
}

/** Takes a bare schema, and the forms in which OpenAI's APIs carry one. */
function schemaFormat(value: Readonly<Record<string, unknown>>): Parsed<ResponseFormat> {
  const outer = isRecord(value.json_schema) ? value.json_schema : value;
  const isWrapped = isRecord(outer.schema) && outer.properties === undefined;
  const schema = isWrapped ? outer.schema : value;
  const named = isWrapped ? outer.name : value.title;
  const name =
    typeof named === "string"
      ? named
          .trim()
          .replace(/[^\w-]+/g, "_")
          .slice(0, 64)
      : "";
  try {
    checkJsonSchema(schema);
  } catch (error) {
    if (!isEngineError(error)) throw error;
    return problem(error.message);
  }
  return parsed({ type: "json_schema", name: name || "answer", schema });
}

/** A budget of tokens; empty for none. */
export function readBudget(text: string): Parsed<number | undefined> {
  const trimmed = text.trim();
  if (trimmed === "") return parsed(undefined);
  const value = Number(trimmed);
  if (/^\d+$/.test(trimmed) && Number.isSafeInteger(value)) return parsed(value);
  return problem("Enter a whole number of tokens, 0 or more, or leave it empty for no limit.");
}

/** The request's reasoning options; undefined where nothing departs from the defaults. */
export function reasoningOptions(
  maxTokens: number | undefined,
  exclude: boolean,
): AnswerSettings["reasoning"] {
  if (maxTokens === undefined && !exclude) return undefined;
  return { ...(maxTokens === undefined ? {} : { maxTokens }), ...(exclude ? { exclude } : {}) };
}
