import type { StoredFile, StoredModel } from "../chunk-store.ts";
import { isLostFile } from "../storage-errors.ts";
import { entriesOf, fileOfData, folderId } from "./folder-names.ts";
import type { JournalState } from "./journal.ts";

/**
 * Stands for a folder whose journal lost the model's record: its files take room, so it must be listed to be deleted.
 * Which model it was is not known; the id names the folder. Undefined where the folder has no checkpoint files, or is
 * being deleted.
 */
export async function withoutRecord(
  folder: FileSystemDirectoryHandle,
  state: JournalState,
): Promise<StoredModel | undefined> {
  const files = await dataFiles(folder).catch((error: unknown) => {
    if (isLostFile(error)) return [];
    throw error;
  });
  if (files.length === 0) return undefined;
  const id = folderId(folder.name);
  return { version: 1, id, chunkBytes: chunkBytesOf(state), files, texts: [], ready: false };
}

async function dataFiles(folder: FileSystemDirectoryHandle): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for await (const [entryName, handle] of entriesOf(folder)) {
    const name = fileOfData(entryName);
    if (name === undefined || handle.kind !== "file") continue;
    const { size } = await (handle as FileSystemFileHandle).getFile();
    files.push({ name, sizeBytes: size, etag: null });
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The size of all chunks but the last of a file, as far as chunks are known. */
function chunkBytesOf({ chunks }: JournalState): number {
  const known = [...chunks.values()].flatMap((ofFile) => [...ofFile]);
  const sizes = known.map(([index, { startBytes, sizeBytes }]) =>
    index === 0 ? sizeBytes : startBytes / index,
  );
  return Math.max(1, ...sizes);
}
