import { EngineError } from "../../errors.ts";
import type { ChunkRef, ChunkStore, StoredModel } from "../chunk-store.ts";
import { createReaders, type ReadersOptions } from "../reading/readers.ts";
import { isClosedConnection, isLostFile, storageError } from "../storage-errors.ts";
import { answered } from "./answered.ts";
import { crc32 } from "./crc32.ts";
import { dataName, entriesOf, folderName, folderPrefix, isFolderId, textName } from "./folder-names.ts";
import { toHex } from "./journal.ts";
import { withoutRecord } from "./lost-record.ts";
import { type ModelFolder, openModelFolder, writeAll } from "./model-folder.ts";
import { whenUnlocked } from "./sync-files.ts";

/** Gives the folder that the models' folders lie in; called again after the browser cleared it. */
export type OpenRoot = () => Promise<FileSystemDirectoryHandle>;

export interface OpfsStoreOptions {
  /** Longest that a file is waited for that another tab has open. */
  readonly lockWaitMs?: number;
  /** Workers to read with, where read-only handles may be open several times; absent: reads on this thread. */
  readonly readers?: ReadersOptions | undefined;
}

/**
 * The store in the origin private file system, for dedicated workers: a folder a model, a file a checkpoint file,
 * written and read in place, and a journal that says what of it is complete. A chunk is flushed before the journal
 * names it, so a crash loses at most the chunks not yet named. A file that another tab keeps open is `busy`.
 */
export function createOpfsStore(
  openRoot: OpenRoot = browserRoot,
  { lockWaitMs = 3000, readers }: OpfsStoreOptions = {},
): ChunkStore {
  const folders = new Map<string, Promise<ModelFolder>>();
  /** Folders being closed: their handles shut out new ones until then. */
  const closing = new Map<string, Promise<void>>();

  async function within<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storageError(action, error);
    }
  }

  function folderOf(id: string): Promise<ModelFolder> {
    const opened =
      folders.get(id) ??
      Promise.all([answered(openRoot()), folderName(id), closing.get(id)]).then(async ([root, name]) => {
        const folder = await answered(root.getDirectoryHandle(name, { create: true }));
        return openModelFolder(folder, lockWaitMs, readers && createReaders(readers, folder));
      });
    folders.set(id, opened);
    opened.catch(() => folders.delete(id));
    return opened;
  }

  async function release(id: string): Promise<void> {
    const folder = folders.get(id);
    if (folder === undefined) return closing.get(id);
    folders.delete(id);
    const closed = folder.then(
      (opened) => opened.close(),
      () => {},
    );
    closing.set(id, closed);
    await closed.finally(() => {
      if (closing.get(id) === closed) closing.delete(id);
    });
  }

  /** Works in a folder; where the browser cleared it, or it was closed meanwhile, once more in a new one. */
  const inFolder = <T>(action: string, id: string, use: (folder: ModelFolder) => Promise<T>) =>
    within(action, async () => {
      const opened = folderOf(id);
      try {
        return await use(await opened);
      } catch (error) {
        if (!isLostFile(error) && !isClosedConnection(error)) throw error;
        if (folders.get(id) === opened) await release(id); // otherwise another call has done so
        return use(await folderOf(id));
      }
    });

  async function listModels(): Promise<StoredModel[]> {
    const root = await answered(openRoot());
    const models: StoredModel[] = [];
    for await (const [name, handle] of entriesOf(root)) {
      if (handle.kind !== "directory" || !name.startsWith(folderPrefix)) continue;
      const folder = handle as FileSystemDirectoryHandle;
      const state = await openModelFolder(folder).state();
      const model = state.model ?? (await withoutRecord(folder, state));
      if (model === undefined) continue;
      models.push(model);
      await (await folders.get(model.id))?.state(true); // another tab may have written since it was read
    }
    return models.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  return {
    kind: "opfs",
    getModel: (id) =>
      within("reading the list of models", async () => {
        // Not through folderOf: asking for a model must not make its folder.
        const known = folders.get(id);
        if (known !== undefined) return (await (await known).state(true)).model;
        const root = await answered(openRoot());
        const folder = await root.getDirectoryHandle(await folderName(id)).catch(undefinedIfLost);
        if (folder === undefined) return undefined;
        const state = await openModelFolder(folder).state();
        return isFolderId(id) ? withoutRecord(folder, state) : state.model;
      }),
    putModel: (model) =>
      inFolder("writing the list of models", model.id, async (folder) => {
        const { chunks, model: known, hasGaps } = await folder.state(true);
        // Chunks whose record was lost: of which version of the files they are is not known any more.
        const unknown = hasGaps && known === undefined ? [...chunks.keys()] : [];
        for (const file of unknown) await folder.append({ type: "drop", file });
        await folder.append({ type: "model", model });
      }),
    listModels: () => within("reading the list of models", listModels),
    deleteModel: (id) =>
      within("deleting a model", async () => {
        await release(id);
        const root = await answered(openRoot());
        const name = await folderName(id);
        await whenUnlocked(() => root.removeEntry(name, { recursive: true }), lockWaitMs).catch(
          undefinedIfLost,
        );
      }),
    getText: (id, name) =>
      inFolder(`reading ${name}`, id, async (folder) => {
        const text = (await folder.state()).texts.get(name);
        if (text === undefined) return undefined;
        const bytes = new Uint8Array(text.sizeBytes);
        const isWhole = await folder.read(textName(name), 0, bytes);
        return isWhole && crc32(bytes) === text.crc ? new TextDecoder().decode(bytes) : undefined;
      }),
    putText: (id, name, text) =>
      inFolder(`storing ${name}`, id, async (folder) => {
        const bytes = new TextEncoder().encode(text);
        await folder.write(textName(name), (file) => {
          file.truncate(0);
          writeAll(file, bytes, 0);
          file.flush();
        });
        await folder.append({ type: "text", name, sizeBytes: bytes.byteLength, crc: crc32(bytes) });
      }),
    listChunks: (id, file) =>
      inFolder(`listing the chunks of ${file}`, id, async (folder) => {
        const chunks = [...((await folder.state()).chunks.get(file) ?? [])].sort(([a], [b]) => a - b);
        return new Map(chunks.map(([index, { digest }]) => [index, digest]));
      }),
    getChunk: (ref) =>
      inFolder(`reading chunk ${ref.index} of ${ref.file}`, ref.id, async (folder) => {
        const chunk = (await folder.state()).chunks.get(ref.file)?.get(ref.index);
        if (chunk === undefined) return { bytes: undefined, digest: undefined };
        const bytes = new Uint8Array(chunk.sizeBytes);
        const isWhole = await folder.read(dataName(ref.file), chunk.startBytes, bytes);
        return { bytes: isWhole ? bytes : undefined, digest: chunk.digest };
      }),
    readInto: (ref, skipBytes, target) =>
      inFolder(`reading chunk ${ref.index} of ${ref.file}`, ref.id, async (folder) => {
        const startBytes = await placeOf(folder, ref, skipBytes + target.byteLength);
        if (startBytes === undefined) return false;
        return folder.read(dataName(ref.file), startBytes + skipBytes, target);
      }),
    readWithDigest: (ref, target) =>
      inFolder(`reading chunk ${ref.index} of ${ref.file}`, ref.id, async (folder) => {
        const startBytes = await placeOf(folder, ref, target.byteLength);
        if (startBytes === undefined) return undefined;
        return folder.readWithDigest(dataName(ref.file), startBytes, target);
      }),
    putChunk: (ref, bytes, digest) =>
      inFolder(`storing chunk ${ref.index} of ${ref.file}`, ref.id, async (folder) => {
        await folder.write(dataName(ref.file), (file) => {
          writeAll(file, bytes, ref.startBytes);
          file.flush();
        });
        const { file, index, startBytes } = ref;
        await folder.append({ type: "chunk", file, index, startBytes, sizeBytes: bytes.byteLength, digest });
      }),
    getHash: (id, file) =>
      inFolder(`reading the hash of ${file}`, id, async (folder) => (await folder.state()).hashes.get(file)),
    putHash: (id, file, { numChunks, state }) =>
      inFolder(`storing the hash of ${file}`, id, (folder) =>
        folder.append({ type: "hash", file, numChunks, state: toHex(state) }),
      ),
    deleteFile: (id, file) =>
      inFolder(`deleting ${file}`, id, async (folder) => {
        await folder.append({ type: "drop", file });
        await folder.remove(dataName(file));
      }),
    release: (id) => within("closing a model's files", () => release(id)),
  };
}

/** Where a chunk begins in its file; undefined where the journal knows of less than `sizeBytes`. */
async function placeOf(folder: ModelFolder, ref: ChunkRef, sizeBytes: number): Promise<number | undefined> {
  const chunk = (await folder.state()).chunks.get(ref.file)?.get(ref.index);
  return chunk !== undefined && sizeBytes <= chunk.sizeBytes ? chunk.startBytes : undefined;
}

async function browserRoot(): Promise<FileSystemDirectoryHandle> {
  const storage: StorageManager | undefined = globalThis.navigator?.storage;
  if (storage?.getDirectory === undefined) {
    throw new EngineError("storage-failed", "This browser has no origin private file system; use IndexedDB.");
  }
  return (await storage.getDirectory()).getDirectoryHandle("gpt-oss-webgpu", { create: true });
}

function undefinedIfLost(error: unknown): undefined {
  if (!isLostFile(error)) throw error;
}
