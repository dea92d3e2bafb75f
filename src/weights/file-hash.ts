import type { IHasher } from "hash-wasm";
import { breathe } from "./breathe.ts";
import { type ChunkReaderOptions, readChunk } from "./chunk-reader.ts";
import type { FileHash, StoredFile } from "./chunk-store.ts";
import { numChunks } from "./chunks.ts";
import { createSha256 } from "./sha256.ts";

/** The SHA-256 of a whole file whose chunks are stored in any order. */
export interface FileHasher {
  /**
   * Tells that a chunk was stored, and hashes as far as the file is complete from its start. Chunks that came early
   * wait in memory, a few of them; others are read from the store when it is their turn.
   */
  add(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The digest in hex, once every chunk is stored; reads those that are not hashed yet. */
  finish(): Promise<string>;
}

/**
 * Goes on from the state that was stored with the chunks, so that a resumed download hashes nothing twice. (WebCrypto
 * cannot hash in parts: hence hash-wasm, at 0.3 GB/s.)
 */
export async function createFileHasher(
  options: ChunkReaderOptions & { readonly maxWaiting: number },
  file: StoredFile,
): Promise<FileHasher> {
  const { store, model } = options;
  const count = numChunks(file.sizeBytes, model.chunkBytes);
  const stored = new Set((await store.listChunks(model.id, file.name)).keys());
  const hasher = await createSha256();
  let next = restore(hasher, await store.getHash(model.id, file.name), stored);
  const waiting = new Map<number, Uint8Array<ArrayBuffer>>();
  let work: Promise<void> = Promise.resolve();

  function restart(): void {
    hasher.init();
    next = 0;
  }

  async function advance(): Promise<void> {
    const before = next;
    while (next < count && stored.has(next)) {
      await breathe();
      const bytes = waiting.get(next) ?? (await readChunk(options, file, next));
      waiting.delete(next);
      hasher.update(bytes);
      next += 1;
    }
    if (next > before) await store.putHash(model.id, file.name, { numChunks: next, state: hasher.save() });
  }

  /** One after another: the state in memory is that of the chunks before `next`. */
  function queue(): Promise<void> {
    work = work.then(advance);
    return work;
  }

  return {
    async add(index, bytes) {
      if (index < next) restart(); // fetched anew, perhaps other bytes than those hashed
      stored.add(index);
      if (index === next || waiting.size < options.maxWaiting) waiting.set(index, bytes);
      await queue();
    },
    async finish() {
      await queue();
      return hasher.digest("hex");
    },
  };
}

/** Loads a stored state where every chunk it covers is still there. @returns the number of chunks it covers */
function restore(hasher: IHasher, saved: FileHash | undefined, stored: ReadonlySet<number>): number {
  hasher.init();
  if (saved === undefined) return 0;
  for (let index = 0; index < saved.numChunks; index += 1) if (!stored.has(index)) return 0;
  try {
    hasher.load(saved.state);
    return saved.numChunks;
  } catch {
    hasher.init(); // the state of another build of hash-wasm
    return 0;
  }
}
