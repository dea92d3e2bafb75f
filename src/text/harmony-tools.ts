import { schemaToType } from "./json-schema-type.ts";
import type { FunctionTool, ToolNamespace } from "./types.ts";

/** The `# Tools` section: namespaces by name, functions as TypeScript types. @throws request-invalid for a schema nested too deep */
export function renderTools(namespaces: readonly ToolNamespace[]): string {
  const sorted = [...namespaces].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return ["# Tools", ...sorted.map(renderNamespace)].join("\n\n");
}

function renderNamespace(namespace: ToolNamespace): string {
  const { name, functions } = namespace;
  const lines = [`## ${name}`, ""];
  // A namespace without functions (python) is described to the model in plain prose.
  const prefix = functions.length > 0 ? "// " : "";
  lines.push(...textLines(namespace.description ?? "").map((line) => prefix + line));
  if (functions.length > 0) {
    lines.push(`namespace ${name} {`, "", ...functions.flatMap(functionLines), `} // namespace ${name}`);
  }
  return lines.join("\n");
}

function functionLines(tool: FunctionTool): string[] {
  const { name, description, parameters } = tool;
  const argument = (parameters ?? null) === null ? "" : `_: ${schemaToType(parameters)}`;
  return [...textLines(description).map((line) => `// ${line}`), `type ${name} = (${argument}) => any;`, ""];
}

/** Lines without their ends; a last line end starts no further line. */
function textLines(text: string): string[] {
  if (text === "") return [];
  return text.replace(/\r?\n$/, "").split(/\r?\n/);
}
