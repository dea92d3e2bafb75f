import { EngineError } from "../../errors.ts";
import { type ChunkReaderOptions, readChunk } from "../chunk-reader.ts";
import type { ChunkStore, StoredFile, StoredModel } from "../chunk-store.ts";
import { numChunks } from "../chunks.ts";
import { WorkerLost } from "../worker-line.ts";
import type { Hashing } from "./hashing.ts";
import { canGoOnFrom, type Sha256Stream } from "./sha256.ts";

/** The SHA-256 of a whole file whose chunks are stored in any order. */
export interface FileHasher {
  /**
   * Tells that a chunk was stored, and gives its memory away: the file is hashed as far as it is complete from its
   * start. Chunks that came early wait in memory, a few of them; others are read from the store when it is their turn.
   * Resolves once another chunk may be fetched.
   */
  add(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The digest in hex, once every chunk is stored; reads those that are not hashed yet. */
  finish(): Promise<string>;
  /** Resolves once nothing of it uses the store any more; only after `finish`, or once its `hashing` was closed. */
  ended(): Promise<void>;
}

/** Chunks under way to the hash: one is hashed while the next is handed over. */
const maxSent = 2;

/** How far the hash has come: the state covers the chunks before `numChunks`. */
interface Hashed {
  readonly numChunks: number;
  readonly state: Uint8Array | undefined;
}
const nothing: Hashed = { numChunks: 0, state: undefined };

/**
 * Goes on from the state that was stored with the chunks, so that a resumed download hashes nothing twice: it is stored
 * anew whenever the last writing of it is over. (WebCrypto cannot hash in parts: hence hash-wasm, at 0.3 GB/s, in a worker.)
 */
export async function createFileHasher(
  options: ChunkReaderOptions & { readonly hashing: Hashing },
  file: StoredFile,
): Promise<FileHasher> {
  const { store, model, hashing } = options;
  const { room } = hashing;
  const count = numChunks(file.sizeBytes, model.chunkBytes);
  const stored = new Set((await store.listChunks(model.id, file.name)).keys());
  let hashed = await restore(store, model, file, stored);
  let saved = hashed.state;
  /** Chunks in memory whose turn has not come; they take room. */
  const waiting = new Map<number, Uint8Array<ArrayBuffer>>();
  let stream: Sha256Stream | undefined;
  /** The next chunk that `stream` is given; those between `hashed` and it are `sent`. */
  let next = hashed.numChunks;
  let sent: Promise<void>[] = [];
  let sending: Promise<void> = Promise.resolve();
  let saving: Promise<void> = Promise.resolve();
  let digesting: Promise<string> | undefined;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});

  /** Takes up the hash at another place, in another stream. */
  function goOnFrom(place: Hashed): void {
    hashed = place;
    next = place.numChunks;
    stream = undefined;
    sent = [];
  }

  /** Hands over all that is there, one call after the other. */
  async function send(): Promise<void> {
    while (next < count && stored.has(next) && !hashing.isClosed) {
      if (sent.length >= maxSent) {
        await sent.shift();
        continue;
      }
      const index = next;
      const to = await opened();
      const held = waiting.get(index);
      const bytes = held ?? (await readChunk(options, file, index));
      if (stream !== to || next !== index) continue; // lost meanwhile: it goes on where the hash stands
      waiting.delete(index);
      next += 1;
      sent.push(hash(to, index, bytes).finally(() => held && room.give()));
    }
  }

  async function opened(): Promise<Sha256Stream> {
    stream ??= await hashing.open(hashed.state);
    return stream;
  }

  function queueSend(): Promise<void> {
    sending = sending.then(send);
    sending.catch(fail);
    return sending;
  }

  /** Never rejects: what fails goes to `fail`, and chunks that a worker took with it are hashed again. */
  async function hash(to: Sha256Stream, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      const state = await to.update(bytes);
      if (stream !== to) return;
      hashed = { numChunks: index + 1, state };
      saving = saving.then(saveNewest);
      saving.catch(fail);
      if (hashed.numChunks === count) digestOnce().catch(fail); // its worker is free for the next file
    } catch (error) {
      if (!(error instanceof WorkerLost)) return fail(error);
      if (stream !== to) return;
      goOnFrom(hashed);
      void queueSend().catch(() => {});
    }
  }

  /** Where the store is slower than the hash, one writing stands for several chunks. */
  async function saveNewest(): Promise<void> {
    const { numChunks, state } = hashed;
    if (state === undefined || state === saved) return;
    await store.putHash(model.id, file.name, { numChunks, state });
    saved = state;
  }

  /** Whether every chunk from the next one up to this is stored, so that its turn comes. */
  function isReachable(index: number): boolean {
    for (let before = next; before < index; before += 1) if (!stored.has(before)) return false;
    return true;
  }

  async function digest(): Promise<string> {
    for (;;) {
      const from = await opened();
      try {
        return await from.digest();
      } catch (error) {
        if (!(error instanceof WorkerLost)) throw error;
        goOnFrom(hashed);
      }
    }
  }

  function digestOnce(): Promise<string> {
    digesting ??= digest();
    return digesting;
  }

  async function hashAll(): Promise<string> {
    while (hashed.numChunks < count) {
      await queueSend();
      await Promise.all(sent);
      if (hashing.isClosed) throw new EngineError("aborted", "Hashing was aborted.");
      if (next < count && !stored.has(next))
        throw new EngineError("internal", `Chunk ${next} of ${file.name} is to be hashed but is not stored.`);
    }
    await saving;
    return digestOnce();
  }

  return {
    async add(index, bytes) {
      if (index < next) {
        goOnFrom(nothing); // fetched anew, perhaps other bytes than those hashed
        digesting = undefined;
      }
      stored.add(index);
      if (!room.isFull() || isReachable(index)) {
        if (!waiting.has(index)) room.take();
        waiting.set(index, bytes);
      }
      queueSend().catch(() => {});
      await Promise.race([failed, room.notOverfull()]);
    },
    finish: () => Promise.race([failed, hashAll()]),
    async ended() {
      await sending.catch(() => {});
      await Promise.all(sent);
      await saving.catch(() => {});
    },
  };
}

/** A stored state whose chunks are all still there. */
async function restore(
  store: ChunkStore,
  model: StoredModel,
  file: StoredFile,
  stored: ReadonlySet<number>,
): Promise<Hashed> {
  const found = await store.getHash(model.id, file.name);
  if (found === undefined) return nothing;
  for (let index = 0; index < found.numChunks; index += 1) if (!stored.has(index)) return nothing;
  return (await canGoOnFrom(found.state)) ? found : nothing;
}
