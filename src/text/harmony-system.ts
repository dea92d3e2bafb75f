import { renderTools } from "./harmony-tools.ts";
import type { SystemContent } from "./types.ts";

/** What harmony writes where the caller says nothing else; the date has no default. */
export const defaultSystemContent = {
  identity: "You are ChatGPT, a large language model trained by OpenAI.",
  knowledgeCutoff: "2024-06",
  reasoningEffort: "medium",
  channels: ["analysis", "commentary", "final"],
} as const satisfies SystemContent;

/**
 * Text of a system message: sections joined by a blank line, each left out where its field is unset.
 * `hasFunctions`: some developer message of the conversation defines functions.
 */
export function systemText(content: SystemContent, hasFunctions: boolean): string {
  const sections: string[] = [];
  const top: string[] = [];
  if (content.identity !== undefined) top.push(content.identity);
  if (content.knowledgeCutoff !== undefined) top.push(`Knowledge cutoff: ${content.knowledgeCutoff}`);
  if (content.currentDate !== undefined) top.push(`Current date: ${content.currentDate}`);
  if (top.length > 0) sections.push(top.join("\n"));
  if (content.reasoningEffort !== undefined) sections.push(`Reasoning: ${content.reasoningEffort}`);
  if (content.tools !== undefined && content.tools.length > 0) sections.push(renderTools(content.tools));
  const channels = channelsText(content, hasFunctions);
  if (channels !== undefined) sections.push(channels);
  return sections.join("\n\n");
}

function channelsText(content: SystemContent, hasFunctions: boolean): string | undefined {
  if (content.channels === undefined || content.channels.length === 0) return undefined;
  let text = `# Valid channels: ${content.channels.join(", ")}.`;
  if (content.channelRequired !== false) text += " Channel must be included for every message.";
  if (hasFunctions) text += "\nCalls to these tools must go to the commentary channel: 'functions'.";
  return text;
}
