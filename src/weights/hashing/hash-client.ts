import { EngineError } from "../../errors.ts";
import type { HashPort, HashReply, HashRequest } from "./protocol.ts";
import type { Sha256Stream } from "./sha256.ts";

/** A worker hashes 32 MiB, the largest chunk, in less than a second; its script has to come over the network first. */
const patienceMs = 30_000;

/** The worker died, refused or fell silent: what it was given must be hashed elsewhere. */
export class HashWorkerLost extends Error {}

/** A hash worker as seen by who uses it: one file after the other. Once it is lost, every call throws HashWorkerLost. */
export interface HashClient extends Sha256Stream {
  /** Begins a file. */
  start(state: Uint8Array | undefined): Promise<void>;
  /** Ends the worker; what is pending is `aborted`. */
  close(): void;
}

/** Speaks to a worker through its port. Every call settles: by an answer, the worker's death, its silence, or `close`. */
export function createHashClient(port: HashPort, waitMs = patienceMs): HashClient {
  const pending: { resolve(reply: HashReply): void; reject(error: Error): void }[] = [];
  let end: Error | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function endWith(error: Error): void {
    if (end !== undefined) return;
    end = error;
    clearTimeout(timer);
    port.close();
    for (const { reject } of pending.splice(0)) reject(error);
  }
  const lose = (reason: string) => endWith(new HashWorkerLost(`The hash worker is lost: ${reason}.`));

  function watch(): void {
    clearTimeout(timer);
    if (pending.length > 0) timer = setTimeout(() => lose(`no answer for ${waitMs / 1000} s`), waitMs);
  }

  function ask(request: HashRequest, transfer: readonly ArrayBuffer[] = []): Promise<HashReply> {
    return new Promise((resolve, reject) => {
      if (end !== undefined) return reject(end);
      pending.push({ resolve, reject });
      if (pending.length === 1) watch();
      try {
        port.post(request, transfer);
      } catch (error) {
        lose(error instanceof Error ? error.message : String(error));
      }
    });
  }

  port.onDeath(lose);
  port.onReply((reply) => {
    if (reply.error !== undefined) return lose(reply.error);
    pending.shift()?.resolve(reply);
    watch();
  });

  return {
    async start(state) {
      await ask({ kind: "start", state });
    },
    async update(bytes) {
      // A view of a larger buffer is copied: the rest of that may be in use.
      const isWhole = bytes.byteLength === bytes.buffer.byteLength;
      const { state } = await ask({ kind: "update", bytes }, isWhole ? [bytes.buffer] : []);
      if (state === undefined) throw new EngineError("internal", "The hash worker answered without a state.");
      return state;
    },
    async digest() {
      const { digest } = await ask({ kind: "digest" });
      if (digest === undefined)
        throw new EngineError("internal", "The hash worker answered without a digest.");
      return digest;
    },
    close: () => endWith(new EngineError("aborted", "Hashing was aborted.")),
  };
}
