import { jsonSchemaGrammar } from "./json-schema-grammar.ts";

/**
 * Checks, without a model, that answers can be kept to a JSON schema: what `chat()` checks of a response format before it
 * runs. For forms in which people write schemas.
 * @throws request-invalid with the place and the keyword; `details.path` is the place as a JSON pointer
 */
export function checkJsonSchema(schema: unknown): void {
  jsonSchemaGrammar(schema);
}
