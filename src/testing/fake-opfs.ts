/** An origin private file system in memory, with Chromium's locks, a quota, and crashes at chosen writes. */
export interface FakeOpfs {
  readonly root: FileSystemDirectoryHandle;
  /** Most bytes that all files may have. */
  quotaBytes: number;
  usedBytes(): number;
  /** From the n-th change on everything fails, that change half done, as where the browser is killed. 0 is the next. */
  dieAfter(numChanges: number): void;
  readonly isDead: () => boolean;
  /** A new start of the browser: files are as they were, no handle is open. */
  restart(): void;
  /** What "clear site data" does. */
  clear(): void;
  /** Bytes of every file by path, to damage them. */
  files(): Map<string, Uint8Array>;
}

interface FakeFile {
  bytes: Uint8Array<ArrayBuffer>;
  /** Open handles; Infinity for one that writes. */
  locks: number;
}

interface FakeFolder {
  readonly entries: Map<string, FakeFile | FakeFolder>;
  isRemoved: boolean;
}

const isFolder = (entry: FakeFile | FakeFolder | undefined): entry is FakeFolder =>
  entry !== undefined && "entries" in entry;

export function createFakeOpfs(): FakeOpfs {
  const top: FakeFolder = { entries: new Map(), isRemoved: false };
  let changesLeft = Number.POSITIVE_INFINITY;
  let isDead = false;
  /** Handles of an earlier start are dead. */
  let generation = 0;

  function beforeChange(half: () => void = () => {}): void {
    if (isDead) throw new DOMException("the browser was killed", "UnknownError");
    if (changesLeft > 0) {
      changesLeft -= 1;
      return;
    }
    half();
    isDead = true;
    throw new DOMException("the browser was killed", "UnknownError");
  }

  const missing = (name: string) => new DOMException(`${name} is not there`, "NotFoundError");
  const locked = (name: string) => new DOMException(`${name} is open`, "NoModificationAllowedError");

  function syncHandle(folder: FakeFolder, file: FakeFile, isReadOnly: boolean) {
    const bornIn = generation;
    let isOpen = true;
    const check = () => {
      if (!isOpen || bornIn !== generation) throw new DOMException("closed", "InvalidStateError");
    };
    const resize = (sizeBytes: number) => {
      const bytes = new Uint8Array(sizeBytes);
      bytes.set(file.bytes.subarray(0, sizeBytes));
      file.bytes = bytes;
    };
    const put = (data: Uint8Array, at: number) => {
      if (at + data.byteLength > file.bytes.byteLength) resize(at + data.byteLength);
      file.bytes.set(data, at);
    };
    return {
      read(target: Uint8Array, { at }: { at: number }) {
        check();
        const piece = file.bytes.subarray(at, at + target.byteLength);
        target.set(piece);
        return piece.byteLength;
      },
      write(data: Uint8Array, { at }: { at: number }) {
        check();
        if (isReadOnly) throw locked("a read-only handle");
        const growth = Math.max(0, at + data.byteLength - file.bytes.byteLength);
        if (fake.usedBytes() + growth > fake.quotaBytes) throw new DOMException("", "QuotaExceededError");
        beforeChange(() => put(data.subarray(0, data.byteLength >> 1), at));
        put(data, at);
        return data.byteLength;
      },
      truncate(sizeBytes: number) {
        check();
        beforeChange();
        resize(sizeBytes);
      },
      getSize: () => file.bytes.byteLength,
      flush: check,
      close() {
        if (!isOpen || bornIn !== generation) return;
        if (folder.isRemoved)
          throw new Error("Chromium would never return from closing a file that was cleared");
        isOpen = false;
        file.locks = isReadOnly ? file.locks - 1 : 0;
      },
    };
  }

  function fileHandle(folder: FakeFolder, name: string): FileSystemFileHandle {
    const find = (): FakeFile => {
      const file = folder.entries.get(name);
      if (folder.isRemoved || file === undefined || isFolder(file)) throw missing(name);
      return file;
    };
    const handle = {
      kind: "file",
      name,
      getFile: async () => new File([find().bytes.slice()], name),
      async createSyncAccessHandle({ mode = "readwrite" } = {}) {
        const file = find();
        const isReadOnly = mode === "read-only";
        if (isDead) throw new DOMException("the browser was killed", "UnknownError");
        if (isReadOnly ? file.locks === Number.POSITIVE_INFINITY : file.locks > 0) throw locked(name);
        file.locks = isReadOnly ? file.locks + 1 : Number.POSITIVE_INFINITY;
        return syncHandle(folder, file, isReadOnly);
      },
    };
    return handle as unknown as FileSystemFileHandle;
  }

  function folderHandle(folder: FakeFolder, ownName = ""): FileSystemDirectoryHandle {
    const check = () => {
      if (folder.isRemoved) throw missing(ownName);
    };
    const isLocked = (entry: FakeFile | FakeFolder): boolean =>
      isFolder(entry) ? [...entry.entries.values()].some(isLocked) : entry.locks > 0;
    const handle = {
      kind: "directory",
      name: ownName,
      async getDirectoryHandle(name: string, { create = false } = {}) {
        check();
        const found = folder.entries.get(name);
        if (isFolder(found)) return folderHandle(found, name);
        if (!create) throw missing(name);
        beforeChange();
        const made: FakeFolder = { entries: new Map(), isRemoved: false };
        folder.entries.set(name, made);
        return folderHandle(made, name);
      },
      async getFileHandle(name: string, { create = false } = {}) {
        check();
        if (!folder.entries.has(name)) {
          if (!create) throw missing(name);
          beforeChange();
          folder.entries.set(name, { bytes: new Uint8Array(), locks: 0 });
        }
        return fileHandle(folder, name);
      },
      async removeEntry(name: string) {
        check();
        const entry = folder.entries.get(name);
        if (entry === undefined) throw missing(name);
        if (isLocked(entry)) throw locked(name);
        beforeChange();
        folder.entries.delete(name);
        if (isFolder(entry)) entry.isRemoved = true;
      },
      async *entries() {
        for (const [name, entry] of [...folder.entries])
          yield [name, isFolder(entry) ? folderHandle(entry, name) : fileHandle(folder, name)];
      },
    };
    return handle as unknown as FileSystemDirectoryHandle;
  }

  const everyFile = (folder: FakeFolder, path = ""): [string, FakeFile][] =>
    [...folder.entries].flatMap(([name, entry]) =>
      isFolder(entry) ? everyFile(entry, `${path}${name}/`) : [[path + name, entry] as [string, FakeFile]],
    );

  const fake: FakeOpfs = {
    root: folderHandle(top),
    quotaBytes: Number.POSITIVE_INFINITY,
    usedBytes: () => everyFile(top).reduce((sum, [, { bytes }]) => sum + bytes.byteLength, 0),
    dieAfter(numChanges) {
      changesLeft = numChanges;
    },
    isDead: () => isDead,
    restart() {
      changesLeft = Number.POSITIVE_INFINITY;
      isDead = false;
      generation += 1;
      for (const [, file] of everyFile(top)) file.locks = 0;
    },
    clear() {
      for (const entry of top.entries.values()) if (isFolder(entry)) entry.isRemoved = true;
      top.entries.clear();
    },
    files: () => new Map(everyFile(top).map(([path, { bytes }]) => [path, bytes])),
  };
  return fake;
}
