/** A checkpoint folder that can be read: a web address, a browser store, or a folder on disk. */
export interface CheckpointFiles {
  /** Names this checkpoint in messages and as a storage key. */
  readonly id: string;
  /** A whole small file (config.json, tokenizer.json, an index); `undefined` where the file does not exist. */
  readText(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /** Size of a file in bytes. @throws download-failed | checkpoint-invalid */
  sizeBytes(name: string, signal?: AbortSignal): Promise<number>;
  /** Exactly the bytes [startBytes, endBytes) of a file; the caller owns the array. */
  read(name: string, startBytes: number, endBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** What a server says about a file; both stand for the file's content while it is fetched in parts. */
export interface FileStat {
  readonly sizeBytes: number;
  /** The ETag header as sent; `undefined` where there is none or CORS hides it. */
  readonly etag: string | undefined;
}

/** A checkpoint folder on a server. */
export interface RemoteFiles extends CheckpointFiles {
  /** Asks the server, never a cache. @throws download-failed */
  stat(name: string, signal?: AbortSignal): Promise<FileStat>;
  /** Like `read`; `onBytes` is told of each piece as it arrives, never of the same byte twice. */
  fetchRange(name: string, range: ByteRange, options?: FetchRangeOptions): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes [startBytes, endBytes) of a file. */
export interface ByteRange {
  readonly startBytes: number;
  readonly endBytes: number;
}

export interface FetchRangeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (numBytes: number) => void;
}

/** Monotone progress of a download or a load, in bytes; `loadedBytes` ends equal to `totalBytes`. */
export interface ByteProgress {
  readonly phase: "download" | "load";
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** The file being worked on. */
  readonly file: string;
}
