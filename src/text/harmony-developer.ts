import { renderTools } from "./harmony-tools.ts";
import type { DeveloperContent } from "./types.ts";

/** Text of a developer message: the instructions (an empty string still has its heading), then the tools. */
export function developerText(content: DeveloperContent): string {
  const sections: string[] = [];
  if (content.instructions !== undefined) sections.push("# Instructions", content.instructions);
  if (content.tools !== undefined && content.tools.length > 0) sections.push(renderTools(content.tools));
  return sections.join("\n\n");
}
