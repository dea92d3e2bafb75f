import { EngineError } from "../errors.ts";
import { renderTools } from "./harmony-tools.ts";
import type { DeveloperContent, HarmonyResponseFormat } from "./types.ts";

/**
 * Text of a developer message: the instructions (an empty string still has its heading), the tools, the
 * response format. @throws request-invalid for a schema that is not JSON
 */
export function developerText(content: DeveloperContent): string {
  const { instructions, tools = [], responseFormat } = content;
  const sections: string[] = [];
  if (instructions !== undefined) sections.push("# Instructions", instructions);
  if (tools.length > 0) sections.push(renderTools(tools));
  if (responseFormat !== undefined) sections.push("# Response Formats", formatText(responseFormat));
  return sections.join("\n\n");
}

/** The format's documentation: the name, a comment, the schema on one line. */
function formatText({ name, description = "", schema }: HarmonyResponseFormat): string {
  const comment = description.split(/\r?\n/).map((line) => `// ${line}\n`);
  return `## ${name}\n\n${description === "" ? "" : comment.join("")}${schemaLine(schema)}`;
}

function schemaLine(schema: unknown): string {
  try {
    const text: unknown = JSON.stringify(schema);
    if (typeof text === "string") return text;
  } catch {
    // Circular, or with a BigInt in it.
  }
  throw new EngineError(
    "request-invalid",
    "The schema of a response format must be a JSON value; it cannot be written as JSON.",
  );
}
