import { EngineError } from "../../errors.ts";
import { createWorkerLine } from "../worker-line.ts";
import type { HashPort } from "./protocol.ts";
import type { Sha256Stream } from "./sha256.ts";

/** A worker hashes 32 MiB, the largest chunk, in less than a second; its script has to come over the network first. */
const patienceMs = 30_000;

/** A hash worker as seen by who uses it: one file after the other. Once it is lost, every call throws WorkerLost. */
export interface HashClient extends Sha256Stream {
  /** Begins a file. */
  start(state: Uint8Array | undefined): Promise<void>;
  /** Ends the worker; what is pending is `aborted`. */
  close(): void;
}

/** Speaks to a worker through its port. Every call settles: by an answer, the worker's death, its silence, or `close`. */
export function createHashClient(port: HashPort, waitMs = patienceMs): HashClient {
  const line = createWorkerLine(port, { name: "hash worker", waitMs });
  return {
    async start(state) {
      await line.ask({ kind: "start", state });
    },
    async update(bytes) {
      // A view of a larger buffer is copied: the rest of that may be in use.
      const isWhole = bytes.byteLength === bytes.buffer.byteLength;
      const { state } = await line.ask({ kind: "update", bytes }, isWhole ? [bytes.buffer] : []);
      if (state === undefined) throw new EngineError("internal", "The hash worker answered without a state.");
      return state;
    },
    async digest() {
      const { digest } = await line.ask({ kind: "digest" });
      if (digest === undefined)
        throw new EngineError("internal", "The hash worker answered without a digest.");
      return digest;
    },
    close: () => line.close(new EngineError("aborted", "Hashing was aborted.")),
  };
}
