import type { FileHandle } from "node:fs/promises";

/** Runs `work` with a file that is open until then. */
export type WithFile = <T>(name: string, work: (file: FileHandle) => Promise<T>) => Promise<T>;

/** A file is opened for its first reader, shared with those that come meanwhile, and closed after the last. */
export function createOpenFiles(openFile: (name: string) => Promise<FileHandle>): WithFile {
  const shared = new Map<string, { readonly file: Promise<FileHandle>; numReaders: number }>();
  return async (name, work) => {
    const entry = shared.get(name) ?? { file: openFile(name), numReaders: 0 };
    shared.set(name, entry);
    entry.numReaders += 1;
    try {
      return await work(await entry.file);
    } finally {
      entry.numReaders -= 1;
      if (entry.numReaders === 0) {
        shared.delete(name);
        await entry.file.then(
          (file) => file.close(),
          () => {}, // whoever wanted to read it was told
        );
      }
    }
  };
}
