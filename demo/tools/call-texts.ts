import type { NumberedCall, ToolEvent } from "../../src/index.ts";
import { toolOf } from "./conversation-tools.ts";

/** Where a call stands. `called`: written by the model, not looked at yet; `stopped`: the turn ended before it did. */
export type CallState =
  | "called"
  | "waiting"
  | "running"
  | "done"
  | "failed"
  | "denied"
  | "invalid"
  | "stopped";

export const callStateTexts: Readonly<Record<CallState, string>> = {
  called: "Called",
  waiting: "Waiting for your approval",
  running: "Running…",
  done: "Done",
  failed: "Failed",
  denied: "Denied",
  invalid: "Arguments do not fit",
  stopped: "Stopped",
};

/** What an event makes of a call. */
export function stateAfter(event: ToolEvent): { readonly state: CallState; readonly text: string } {
  switch (event.type) {
    case "tool-start":
      return { state: "running", text: callStateTexts.running };
    case "tool-denied":
      return { state: "denied", text: callStateTexts.denied };
    case "invalid-arguments":
      return { state: "invalid", text: callStateTexts.invalid };
    case "tool-result":
      return resultState(event.failure);
    default:
      return event satisfies never;
  }
}

type Failure = Extract<ToolEvent, { type: "tool-result" }>["failure"];

function resultState(failure: Failure): { readonly state: CallState; readonly text: string } {
  if (failure === undefined) return { state: "done", text: callStateTexts.done };
  if (failure === "unknown-tool") return { state: "failed", text: "There is no such tool" };
  return { state: "failed", text: failure === "timeout" ? "Took too long" : callStateTexts.failed };
}

/** What is about to happen if the user approves, in one sentence. */
export function approvalSentence(call: Pick<NumberedCall, "name">): string {
  switch (toolOf(call)) {
    case "python":
      return "The model wants to run this Python code. It runs in this browser, without network or files of yours.";
    case "browser":
      return "The model wants to read in the documents, or through the proxy, that you gave it.";
    default:
      return "The model wants to call this function. The page cannot run it: you type what it returns.";
  }
}

/** Arguments for reading: JSON with indents, anything else as the model wrote it. */
export function argumentsText(call: Pick<NumberedCall, "name" | "arguments">): string {
  if (toolOf(call) === "python") return call.arguments.trim();
  try {
    return JSON.stringify(JSON.parse(call.arguments), undefined, 2);
  } catch {
    return call.arguments.trim();
  }
}
