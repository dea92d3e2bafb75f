import { sha256 } from "../chunks.ts";
import type { Readers } from "../reading/readers.ts";
import { isLostFile } from "../storage-errors.ts";
import { answered } from "./answered.ts";
import {
  applyEntry,
  emptyJournal,
  encodeEntry,
  type JournalEntry,
  type JournalState,
  readJournal,
} from "./journal.ts";
import { openSyncFiles, type SyncHandle } from "./sync-files.ts";

const journalName = "journal";

/** The folder of one model: its journal, and files that the journal speaks of. */
export interface ModelFolder {
  /**
   * Fills `target` from a file; false where it has less, or is not there. Large reads go to the reading workers, unless this
   * tab has written the file since the folder was opened.
   */
  read(name: string, startBytes: number, target: Uint8Array): Promise<boolean>;
  /** The same, with the SHA-256 in hex of what was read; undefined where it is not all there. */
  readWithDigest(name: string, startBytes: number, target: Uint8Array): Promise<string | undefined>;
  /** Runs `change` with the file open for writing, so that nothing else comes between; makes it where there is none. */
  write(name: string, change: (handle: SyncHandle) => void): Promise<void>;
  /** Removes a file; fine where there is none. */
  remove(name: string): Promise<void>;
  /** What the journal says. `fresh` reads it again, unless this tab is the one that writes it. */
  state(fresh?: boolean): Promise<JournalState>;
  /** Adds an entry and waits until it is on disk. @throws NoModificationAllowedError where another tab writes */
  append(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}

/** Opens the folder; reading it makes nothing, and several tabs may do so while one writes. */
export function openModelFolder(
  folder: FileSystemDirectoryHandle,
  lockWaitMs = 0,
  readers?: Readers,
): ModelFolder {
  const files = openSyncFiles(folder, lockWaitMs);
  /** Files that this tab has open for writing, which shuts the workers out, once these have let go of them. */
  const written = new Map<string, Promise<void> | undefined>();
  let known: Promise<JournalState> | undefined;
  /** Where the next entry goes; undefined until this tab writes the journal. */
  let endBytes: number | undefined;
  let isClosed = false;

  /** Takes the journal for writing: cuts off what a crash left half written. */
  const startWriting = () =>
    files.use(journalName, "readwrite", (handle) => {
      if (endBytes !== undefined) return;
      const bytes = new Uint8Array(handle.getSize());
      handle.read(bytes, { at: 0 });
      const { state, validBytes } = readJournal(bytes);
      if (validBytes < bytes.byteLength) handle.truncate(validBytes);
      known = Promise.resolve(state);
      endBytes = validBytes;
    });

  async function readBy(name: string, startBytes: number, target: Uint8Array, wantsDigest: boolean) {
    if (isClosed) throw new DOMException("the folder was closed", "InvalidStateError");
    if (!written.has(name)) {
      const found = await readers?.read({ name, startBytes }, target, wantsDigest);
      if (found !== undefined) return found;
    }
    const numBytes = await files.use(name, "read-only", (file) => file.read(target, { at: startBytes }));
    if (numBytes !== target.byteLength) return undefined;
    return { digest: wantsDigest ? await sha256(target as Uint8Array<ArrayBuffer>) : undefined };
  }

  async function takeFromWorkers(name: string): Promise<void> {
    if (!written.has(name)) written.set(name, readers?.closeFile(name));
    await written.get(name);
  }

  return {
    read: async (name, startBytes, target) => (await readBy(name, startBytes, target, false)) !== undefined,
    readWithDigest: async (name, startBytes, target) =>
      (await readBy(name, startBytes, target, true))?.digest,
    async write(name, change) {
      await takeFromWorkers(name);
      await files.use(name, "readwrite", change);
    },
    async remove(name) {
      await takeFromWorkers(name);
      await files.remove(name);
    },
    state(fresh = false) {
      if (fresh && endBytes === undefined) known = undefined;
      known ??= readWithoutLock(folder).then((bytes) =>
        bytes === undefined ? emptyJournal() : readJournal(bytes).state,
      );
      known.catch(() => {
        known = undefined;
      });
      return known;
    },
    async append(entry) {
      await startWriting();
      const state = await known;
      await files.use(journalName, "readwrite", (handle) => {
        if (endBytes === undefined || state === undefined)
          throw new DOMException("closed", "InvalidStateError");
        const line = encodeEntry(entry);
        writeAll(handle, line, endBytes);
        handle.flush();
        endBytes += line.byteLength;
        applyEntry(state, entry);
      });
    },
    async close() {
      isClosed = true;
      known = undefined;
      endBytes = undefined;
      await Promise.all([readers?.close(), files.close()]);
    },
  };
}

/** Writes all of `bytes`. @throws QuotaExceededError, also where the disk took only a part */
export function writeAll(
  handle: { write(bytes: Uint8Array, options: { readonly at: number }): number },
  bytes: Uint8Array,
  startBytes: number,
): void {
  const written = handle.write(bytes, { at: startBytes });
  if (written === bytes.byteLength) return;
  throw new DOMException(`${written} of ${bytes.byteLength} bytes were written`, "QuotaExceededError");
}

/** The journal through a snapshot, which also a tab may take that does not write. It fails where a write comes between. */
async function readWithoutLock(folder: FileSystemDirectoryHandle): Promise<Uint8Array | undefined> {
  for (let tries = 0; ; tries += 1) {
    try {
      const file = await answered(folder.getFileHandle(journalName).then((handle) => handle.getFile()));
      return new Uint8Array(await answered(file.arrayBuffer()));
    } catch (error) {
      const isMissing = error instanceof Error && error.name === "NotFoundError";
      if (isMissing) return undefined;
      if (!isLostFile(error) || tries === 20) throw error;
    }
  }
}
