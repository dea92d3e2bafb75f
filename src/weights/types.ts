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

/** Monotone progress of a download or a load, in bytes; `loadedBytes` ends equal to `totalBytes`. */
export interface ByteProgress {
  readonly phase: "download" | "load";
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** The file being worked on. */
  readonly file: string;
}
