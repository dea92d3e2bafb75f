/** Where chunks are kept: the two stores of a browser, with one interface. */
export type StoreKind = "indexeddb" | "opfs";

/** The manifest record of a stored model: what its chunks and texts belong to. */
export interface StoredModel {
  /** Layout of this record and its keys. */
  readonly version: 1;
  readonly id: string;
  /** Absent for a checkpoint. */
  readonly kind?: "adapter";
  readonly chunkBytes: number;
  /** Weight files with what the server said of them. */
  readonly files: readonly StoredFile[];
  /** Names of the small files that are stored; other small files do not exist in this checkpoint. */
  readonly texts: readonly string[];
  /** Their SHA-256 in hex, of the text as UTF-8, by name. Older versions kept none: the next verify fills them in. */
  readonly textsSha256?: Readonly<Record<string, string>>;
  /** True once every chunk and text is stored and every file's SHA-256 is known: nothing needs the network any more. */
  readonly ready: boolean;
  /** True once every stored byte was read back and matched its digest. */
  readonly checked?: boolean;
  /** How the model was asked for, as JSON data: whoever lists it can ask again. */
  readonly source?: unknown;
}

export interface StoredFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** `null` where the server sends no ETag. */
  readonly etag: string | null;
  /** The Last-Modified header as sent; absent where there was none, or an older version stored the file. */
  readonly lastModified?: string;
  /** SHA-256 in hex that the source publishes. */
  readonly expectedSha256?: string;
  /** SHA-256 in hex of the whole file as it was fetched; absent until it was complete once. */
  readonly sha256?: string;
  /** `digestOfDigests` of the chunks when the file had that SHA-256: chunks that match these digests make up that file. */
  readonly chunksSha256?: string;
}

export interface ChunkRef {
  readonly id: string;
  readonly file: string;
  readonly index: number;
  /** Where the chunk begins in its file. */
  readonly startBytes: number;
}

/** A chunk as found; either part may have been lost. */
export interface FoundChunk {
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  /** SHA-256 in hex of the bytes as they were fetched. */
  readonly digest: string | undefined;
}

/** How far a file's SHA-256 has come: it covers the chunks before `numChunks`. */
export interface FileHash {
  readonly numChunks: number;
  /** What hash-wasm saved. */
  readonly state: Uint8Array;
}

/**
 * Chunks of weight files, small files and manifest records. Every method throws storage-full | storage-failed, and
 * `busy` where another tab holds the files. What a method acknowledged survives the end of the page at any moment.
 */
export interface ChunkStore {
  readonly kind: StoreKind;
  getModel(id: string): Promise<StoredModel | undefined>;
  putModel(model: StoredModel): Promise<void>;
  listModels(): Promise<StoredModel[]>;
  /** Removes the record, the texts, hashes and all chunks. */
  deleteModel(id: string): Promise<void>;
  getText(id: string, name: string): Promise<string | undefined>;
  putText(id: string, name: string, text: string): Promise<void>;
  /** Digests of the complete chunks of a file by index, ascending. */
  listChunks(id: string, file: string): Promise<ReadonlyMap<number, string>>;
  getChunk(ref: ChunkRef): Promise<FoundChunk>;
  /** Fills `target` with a chunk's bytes from `skipBytes` on, unchecked; false where they are not all there. */
  readInto(ref: ChunkRef, skipBytes: number, target: Uint8Array): Promise<boolean>;
  /** Fills `target` with a whole chunk of its size; the SHA-256 in hex of what was read, undefined where it is not all there. */
  readWithDigest(ref: ChunkRef, target: Uint8Array): Promise<string | undefined>;
  /** Stores bytes and digest together: a digest is never there without its chunk. */
  putChunk(ref: ChunkRef, bytes: Uint8Array<ArrayBuffer>, digest: string): Promise<void>;
  getHash(id: string, file: string): Promise<FileHash | undefined>;
  putHash(id: string, file: string, hash: FileHash): Promise<void>;
  /** Removes the chunks and the hash of a file. */
  deleteFile(id: string, file: string): Promise<void>;
  /** Closes what is held open for a model; what was read before is read anew. */
  release(id: string): Promise<void>;
}
