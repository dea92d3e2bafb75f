import { isLostFile } from "../storage-errors.ts";
import { answered } from "./answered.ts";

/** What of FileSystemSyncAccessHandle is used; the DOM types this project compiles with are a window's and lack it. */
export interface SyncHandle {
  read(buffer: Uint8Array, options: { readonly at: number }): number;
  write(buffer: Uint8Array, options: { readonly at: number }): number;
  truncate(sizeBytes: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

type Mode = "read-only" | "readwrite";

interface SyncFileHandle {
  createSyncAccessHandle?(options?: { readonly mode: Mode }): Promise<SyncHandle>;
}

interface OpenFile {
  readonly mode: Mode;
  readonly handle: Promise<SyncHandle | undefined>;
  isClosed: boolean;
}

/** The files of one folder, each opened once. */
export interface SyncFiles {
  /**
   * Runs `use` with the file open, so that nothing else comes between; `undefined` where a file to be read is not
   * there. A file to be written is made.
   */
  use<T>(name: string, mode: Mode, use: (handle: SyncHandle) => T): Promise<T | undefined>;
  /** Closes a file until it is used again; fine where it is not open. */
  closeFile(name: string): Promise<void>;
  /** Closes and removes a file; fine where there is none. */
  remove(name: string): Promise<void>;
  /** Closes every file; `use` fails with InvalidStateError from then on. */
  close(): Promise<void>;
}

/**
 * Sync access handles of the files in a folder. A handle stays open until `close`, because opening one costs more
 * than reading through it. Read-only ones can be open in several tabs; one for writing shuts all others out.
 */
export function openSyncFiles(folder: FileSystemDirectoryHandle, lockWaitMs: number): SyncFiles {
  const open = new Map<string, OpenFile>();
  let isShut = false;

  async function closeFile(name: string): Promise<void> {
    const file = open.get(name);
    if (file === undefined) return;
    open.delete(name);
    file.isClosed = true;
    const handle = await file.handle.catch(() => undefined);
    if (handle === undefined) return;
    // Once the user has cleared the site's data, Chromium 156 never returns from `close`, and the worker stops for good.
    // Such a handle is left to the collector: it locks nothing that anyone will open.
    const isThere = await answered(folder.getFileHandle(name)).then(
      () => true,
      () => false,
    );
    if (isThere) handle.close();
  }

  function openFile(name: string, mode: Mode): OpenFile {
    const handle = whenUnlocked(() => createHandle(folder, name, mode), lockWaitMs);
    const file: OpenFile = { mode, handle, isClosed: false };
    open.set(name, file);
    const forget = () => {
      if (open.get(name) === file) open.delete(name);
    };
    handle.then((found) => found ?? forget(), forget);
    return file;
  }

  return {
    async use(name, mode, use) {
      for (;;) {
        // Nobody would close what is opened from here on.
        if (isShut) throw new DOMException("the folder was closed", "InvalidStateError");
        const known = open.get(name);
        if (known !== undefined && known.mode !== mode && mode === "readwrite") {
          await closeFile(name);
          continue;
        }
        const file = known ?? openFile(name, mode);
        const handle = await file.handle;
        if (file.isClosed) continue; // by someone who wanted to write or remove it
        return handle === undefined ? undefined : use(handle);
      }
    },
    closeFile,
    async remove(name) {
      await closeFile(name);
      await whenUnlocked(() => answered(folder.removeEntry(name)), lockWaitMs).catch((error: unknown) => {
        if (!isLostFile(error)) throw error;
      });
    },
    close: async () => {
      isShut = true;
      await Promise.all([...open.keys()].map(closeFile));
    },
  };
}

/** Opens or removes. A worker that was ended keeps its files locked for a moment longer than its Web Locks: that is waited for. */
export async function whenUnlocked<T>(work: () => Promise<T>, lockWaitMs: number): Promise<T> {
  const startMs = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isLocked = error instanceof Error && error.name === "NoModificationAllowedError";
      if (!isLocked || performance.now() - startMs >= lockWaitMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function createHandle(
  folder: FileSystemDirectoryHandle,
  name: string,
  mode: Mode,
): Promise<SyncHandle | undefined> {
  try {
    const file = await answered(folder.getFileHandle(name, { create: mode === "readwrite" }));
    const create = (file as SyncFileHandle).createSyncAccessHandle;
    if (create === undefined) throw new DOMException("there are no sync access handles", "NotSupportedError");
    const opening = create.call(file, { mode });
    return await answered(opening).catch((error: unknown) => {
      // One that comes after all must not stay open, where nobody knows it.
      opening.then(
        (handle) => handle.close(),
        () => {},
      );
      throw error;
    });
  } catch (error) {
    if (mode === "read-only" && isLostFile(error)) return undefined;
    throw error;
  }
}
