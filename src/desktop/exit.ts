import { EngineError } from "../errors.ts";

/** Exit codes of the Node programs. `noAdapter` asks the launcher (scripts/lib/launch.mjs) to bring SwiftShader. */
export const exitCodes = { ok: 0, failed: 1, badInput: 2, noAdapter: 86 } as const;

/** A mistake of whoever typed the command. */
export const usageError = (message: string): EngineError => new EngineError("request-invalid", message);
