import { transferHandlers } from "comlink";
import { fromWireError, isEngineError, toWireError, type WireError } from "../errors.ts";

/** A thrown EngineError on its way. */
interface WireThrow {
  readonly engineError: WireError;
}

/** How comlink hands a thrown value to its handler. */
interface Thrown {
  readonly value: unknown;
}

/**
 * Replaces comlink's handler of thrown values by one that keeps `code` and `details` of an EngineError. Values of
 * other kinds go on to the handler that was there, because the page may use the same copy of comlink for its own.
 * Both sides of the channel must call it; a second call changes nothing.
 */
export function installErrorHandler(): void {
  const before = transferHandlers.get("throw");
  if (before === undefined || installed.has(before)) return;
  const handler = {
    canHandle: before.canHandle,
    serialize: (thrown: unknown): [unknown, Transferable[]] => {
      const { value } = thrown as Thrown;
      if (!isEngineError(value)) return before.serialize(thrown);
      return [{ engineError: toWireError(value) } satisfies WireThrow, []];
    },
    deserialize: (wire: unknown): unknown => {
      if (isWireThrow(wire)) throw fromWireError(wire.engineError);
      return before.deserialize(wire);
    },
  };
  installed.add(handler);
  transferHandlers.set("throw", handler);
}

/** Handlers made here, so that installing twice does not stack them. */
const installed = new WeakSet<object>();

function isWireThrow(wire: unknown): wire is WireThrow {
  return typeof wire === "object" && wire !== null && "engineError" in wire;
}
