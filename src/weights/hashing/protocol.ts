import type { WorkerPort } from "../worker-line.ts";

/** What is asked of a hash worker: the SHA-256 of one file after the other. Requests are answered in order. */
export type HashRequest =
  /** First of a file: goes on from a saved state, or begins. */
  | { readonly kind: "start"; readonly state: Uint8Array | undefined }
  /** The file's next bytes. */
  | { readonly kind: "update"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Last of a file. */
  | { readonly kind: "digest" };

/** `state`: to go on from later, for `update`. `digest`: in hex. `error`: the worker is of no more use. */
export interface HashReply {
  readonly state?: Uint8Array;
  readonly digest?: string;
  readonly error?: string;
}

/** One end of a line to a hash worker. */
export type HashPort = WorkerPort<HashRequest, HashReply>;

/** Opens a hash worker. May throw where none can be started. */
export type OpenHashPort = () => HashPort;
