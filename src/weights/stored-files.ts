import { EngineError, throwIfAborted } from "../errors.ts";
import { breathe } from "./breathe.ts";
import { createChunkCache } from "./chunk-cache.ts";
import type { ChunkReaderOptions } from "./chunk-reader.ts";
import type { ChunkStore, StoredFile, StoredModel } from "./chunk-store.ts";
import { chunkRange, chunkRef } from "./chunks.ts";
import { healChunk } from "./heal-chunk.ts";
import { openStoreSession } from "./store-session.ts";
import { readStoredText } from "./stored-texts.ts";
import type { CheckpointFiles, RemoteFiles } from "./types.ts";
import { type ChunkChoice, createChunkChoice, type VerifyMode } from "./verify-mode.ts";

export interface StoredFilesOptions extends ChunkReaderOptions {
  /** How much of what is read is checked against its SHA-256; see VerifyMode. Default `full`. */
  readonly verify?: VerifyMode | undefined;
  /** Told once, when every chunk of the model was read and matched its digest. */
  readonly onAllChecked?: (() => Promise<void>) | undefined;
}

/**
 * The files of a stored model. Chunks are checked as `verify` says; with `remote` a lost or damaged one heals itself.
 * Several calls may run at once. Where a chunk is asked for whole, or need not be checked, its bytes go straight into the
 * caller's memory.
 */
export function createCachedFiles(options: StoredFilesOptions): CheckpointFiles {
  const { store, model, verify = "full" } = options;
  let noting: Promise<void> | undefined;
  const choice = createChunkChoice(model, verify, () => {
    noting = options.onAllChecked?.();
  });
  let reading: Reading | undefined;
  const current = (): Reading => {
    reading ??= openReading(options, choice);
    return reading;
  };

  async function readInto(name: string, startBytes: number, target: Uint8Array, signal?: AbortSignal) {
    const file = fileOf(model, name);
    checkRange(file, startBytes, startBytes + target.byteLength);
    const { readPart } = current();
    let filled = 0;
    while (filled < target.byteLength) {
      await breathe();
      throwIfAborted(signal);
      const at = startBytes + filled;
      const index = Math.floor(at / model.chunkBytes);
      const skipBytes = at - index * model.chunkBytes;
      const endOfPart = Math.min(target.byteLength, filled + model.chunkBytes - skipBytes);
      await unlessAborted(readPart(file, index, skipBytes, target.subarray(filled, endOfPart)), signal);
      filled = endOfPart;
    }
  }

  return {
    id: model.id,
    sizeBytes: async (name) => fileOf(model, name).sizeBytes,
    readText: (name, signal) => readStoredText({ ...options, store: current().store }, name, signal),
    async read(name, startBytes, endBytes, signal) {
      checkRange(fileOf(model, name), startBytes, endBytes);
      const target = new Uint8Array(endBytes - startBytes);
      await readInto(name, startBytes, target, signal);
      return target;
    },
    readInto,
    async close() {
      const ended = reading;
      reading = undefined; // what is read from here on begins anew
      await ended?.close();
      await noting;
      await store.release(model.id);
    },
  };
}

/** What reads share until `close`, which also those have that were abandoned and still go on. */
interface Reading {
  readonly store: ChunkStore;
  /** Fills `target`, the bytes of one chunk from `skipBytes` on. */
  readPart(file: StoredFile, index: number, skipBytes: number, target: Uint8Array): Promise<void>;
  /** Waits for the store, not for what fetches a chunk again: that stores nothing any more. */
  close(): Promise<void>;
}

function openReading(given: StoredFilesOptions, choice: ChunkChoice): Reading {
  const session = openStoreSession(given.store);
  const options = { ...given, store: session.store };
  const { store, model } = options;
  const noteChecked = (file: string, index: number) => {
    if (!session.isClosed) choice.noteChecked(file, index);
  };
  const chunks = createChunkCache(options, { ...choice, noteChecked });

  const digests = new Map<string, Promise<ReadonlyMap<number, string>>>();
  function digestsOf(file: string): Promise<ReadonlyMap<number, string>> {
    const known = digests.get(file) ?? store.listChunks(model.id, file);
    digests.set(file, known);
    known.catch(() => digests.delete(file));
    return known;
  }

  /** Reads a whole chunk into `target`; whether it is there and matches its digest. */
  async function readChecked(file: StoredFile, index: number, target: Uint8Array): Promise<boolean> {
    const digest = (await digestsOf(file.name)).get(index);
    if (digest === undefined) return false;
    if ((await store.readWithDigest(chunkRef(model, file, index), target)) !== digest) return false;
    noteChecked(file.name, index);
    return true;
  }

  return {
    store,
    async readPart(file, index, skipBytes, target) {
      const { startBytes, endBytes } = chunkRange(file.sizeBytes, model.chunkBytes, index);
      const isWhole = target.byteLength === endBytes - startBytes;
      if (isWhole && choice.mustCheck(file.name, index)) {
        if (await readChecked(file, index, target)) return;
        digests.delete(file.name);
      }
      if (!choice.mustCheck(file.name, index)) {
        const ref = chunkRef(model, file, index);
        if (await store.readInto(ref, skipBytes, target)) return;
        const { digest } = await store.getChunk(ref);
        await healChunk(options, file, index, { bytes: undefined, digest });
      }
      const chunk = await chunks.get(file, index);
      target.set(chunk.subarray(skipBytes, skipBytes + target.byteLength));
    },
    async close() {
      chunks.clear();
      await session.close();
    },
  };
}

/**
 * The files of a model that is stored whole; `undefined` where it is not. Makes no request unless a chunk must be
 * repaired from `remote`.
 * @throws storage-failed
 */
export async function openStoredCheckpoint(
  store: ChunkStore,
  id: string,
  remote?: RemoteFiles,
): Promise<CheckpointFiles | undefined> {
  const model = await store.getModel(id);
  return model?.ready ? createCachedFiles({ store, model, remote }) : undefined;
}

function fileOf(model: StoredModel, name: string): StoredFile {
  const file = model.files.find((candidate) => candidate.name === name);
  if (file !== undefined) return file;
  throw new EngineError("checkpoint-invalid", `The stored model ${model.id} has no file ${name}.`, {
    details: { file: name },
  });
}

function checkRange(file: StoredFile, startBytes: number, endBytes: number): void {
  if (startBytes >= 0 && startBytes <= endBytes && endBytes <= file.sizeBytes) return;
  throw new EngineError(
    "checkpoint-invalid",
    `${file.name} has ${file.sizeBytes} bytes; cannot read [${startBytes}, ${endBytes}).`,
    { details: { file: file.name, startBytes, endBytes } },
  );
}

/** The promise, or `aborted` as soon as the signal fires. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new EngineError("aborted", "Reading the checkpoint was aborted."));
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
