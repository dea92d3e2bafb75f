import { EngineError, toEngineError } from "../errors.ts";
import type { Terminal } from "./terminal.ts";

/** Exit codes of the Node programs. `noAdapter` asks the launcher (scripts/lib/launch.mjs) to bring SwiftShader. */
export const exitCodes = { ok: 0, failed: 1, badInput: 2, cutOff: 3, noAdapter: 86 } as const;

/** A mistake of whoever typed the command. */
export const usageError = (message: string): EngineError => new EngineError("request-invalid", message);

/** An answer that ended before it was of any use. */
export const cutOffError = (message: string): EngineError =>
  new EngineError("aborted", message, { details: { reason: "cut-off" } });

/** Runs a command. A failure is one sentence on `err` and an exit code by its cause; never throws. */
export async function exitCodeOf(command: () => Promise<void>, terminal: Terminal): Promise<number> {
  try {
    await command();
    return exitCodes.ok;
  } catch (error) {
    return report(toEngineError(error), terminal);
  }
}

function report(error: EngineError, terminal: Terminal): number {
  terminal.err(`${error.message}\n`);
  if (error.code === "internal" && process.env.DEBUG !== undefined) terminal.err(`${error.stack}\n`);
  if (error.details.reason === "cut-off") return exitCodes.cutOff;
  switch (error.code) {
    case "request-invalid":
    case "checkpoint-invalid":
    case "tokenizer-invalid":
    case "context-overflow":
      return exitCodes.badInput;
    case "adapter-unavailable":
      return exitCodes.noAdapter;
    default:
      return exitCodes.failed;
  }
}
