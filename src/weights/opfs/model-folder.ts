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
import { openSyncFiles, type SyncFiles } from "./sync-files.ts";

const journalName = "journal";

/** The folder of one model: its journal, and files that the journal speaks of. */
export interface ModelFolder {
  readonly files: SyncFiles;
  /** What the journal says. `fresh` reads it again, unless this tab is the one that writes it. */
  state(fresh?: boolean): Promise<JournalState>;
  /** Adds an entry and waits until it is on disk. @throws NoModificationAllowedError where another tab writes */
  append(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}

/** Opens the folder; reading it makes nothing, and several tabs may do so while one writes. */
export function openModelFolder(folder: FileSystemDirectoryHandle, lockWaitMs = 0): ModelFolder {
  const files = openSyncFiles(folder, lockWaitMs);
  let known: Promise<JournalState> | undefined;
  /** Where the next entry goes; undefined until this tab writes the journal. */
  let endBytes: number | undefined;

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

  return {
    files,
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
      known = undefined;
      endBytes = undefined;
      await files.close();
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
