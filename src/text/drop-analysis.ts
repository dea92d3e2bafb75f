import type { HarmonyMessage } from "./types.ts";

/**
 * The harmony library's rule: where the last assistant message is final, analysis before the first final
 * message goes. Over several turns this keeps later turns' analysis; see `dropFinishedAnalysis`.
 */
export function dropAnalysis(messages: readonly HarmonyMessage[]): HarmonyMessage[] {
  const lastAssistant = messages.findLast((message) => message.role === "assistant");
  if (lastAssistant?.channel !== "final") return [...messages];
  return dropBefore(
    messages,
    messages.findIndex((message) => message.channel === "final"),
  );
}

/**
 * Removes the analysis of every finished turn, as the format's documentation asks for: a turn ends with its
 * last final message, or where the user speaks again. Analysis that led to a call still open is kept.
 */
export function dropFinishedAnalysis(messages: readonly HarmonyMessage[]): HarmonyMessage[] {
  return dropBefore(messages, messages.findLastIndex(endsTurn));
}

function endsTurn({ role, channel }: HarmonyMessage): boolean {
  return role === "user" || (role === "assistant" && channel === "final");
}

function dropBefore(messages: readonly HarmonyMessage[], boundary: number): HarmonyMessage[] {
  return messages.filter((message, index) => index >= boundary || message.channel !== "analysis");
}
