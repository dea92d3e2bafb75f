import type { WorkerPort } from "../worker-line.ts";

/** Bytes of a file in the folder that the worker was given. */
export interface FilePart {
  readonly name: string;
  readonly startBytes: number;
}

/** What is asked of a reading worker. Requests are answered in order. */
export type ReadRequest =
  /** First where files are read: the folder that they lie in. */
  | { readonly kind: "folder"; readonly folder: FileSystemDirectoryHandle }
  /** Fills the first `sizeBytes` of `memory` and, where asked, takes their SHA-256. */
  | {
      readonly kind: "read";
      readonly from: FilePart | Blob;
      readonly sizeBytes: number;
      readonly memory: ArrayBuffer;
      readonly wantsDigest: boolean;
    }
  /** Lets go of a file, or of all. */
  | { readonly kind: "close"; readonly name?: string };

/** For `read`: the memory, whether all of the bytes were there, and their SHA-256 in hex. */
export interface ReadReply {
  readonly memory?: ArrayBuffer;
  readonly isWhole?: boolean;
  readonly digest?: string;
  /** The worker is of no more use. */
  readonly error?: string;
}

/** One end of a line to a reading worker. */
export type ReadPort = WorkerPort<ReadRequest, ReadReply>;

/** Opens a reading worker. May throw where none can be started. */
export type OpenReadPort = () => ReadPort;
