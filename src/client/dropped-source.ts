import { EngineError } from "../errors.ts";
import type { SourceLocation } from "../weights/source-types.ts";

/** A folder of the older drop interface is read this deep: itself and one folder inside, such as `original`. */
const maxDepth = 2;

/**
 * What the user dropped, as a source: a folder, or the files of one. Call it in the drop event, with
 * `event.dataTransfer.items`: they are gone after the event.
 * @throws request-invalid where nothing was dropped, or several folders
 */
export async function droppedSource(items: Iterable<DataTransferItem>): Promise<SourceLocation> {
  const dropped = [...items].filter(({ kind }) => kind === "file");
  // Both are asked for before the first wait, for the reason above.
  const handles = dropped.map((item) => handleOf(item));
  const entries = dropped.map((item) => item.webkitGetAsEntry?.() ?? undefined);
  const files = dropped.map((item) => item.getAsFile() ?? undefined);
  const found = await Promise.all(handles);
  const directories = found.filter((handle) => handle?.kind === "directory") as FileSystemDirectoryHandle[];
  const folders = entries.filter((entry) => entry?.isDirectory) as FileSystemDirectoryEntry[];
  const numFolders = Math.max(directories.length, folders.length);
  if (numFolders > 1 || dropped.length === 0) {
    const what =
      dropped.length === 0 ? "Nothing that is a file was dropped" : `${numFolders} folders were dropped`;
    throw new EngineError("request-invalid", `${what}; drop one folder with a checkpoint.`);
  }
  const [directory] = directories;
  if (directory !== undefined) return { directory };
  const [folder] = folders;
  if (folder !== undefined) return filesOf(folder);
  return { files: files.filter((file) => file !== undefined) };
}

type WithHandle = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };

/** The handle of a dropped item, where this browser has handles and gives one. */
async function handleOf(item: WithHandle): Promise<FileSystemHandle | undefined> {
  return (await item.getAsFileSystemHandle?.().catch(() => null)) ?? undefined;
}

async function filesOf(folder: FileSystemDirectoryEntry): Promise<SourceLocation> {
  const files: File[] = [];
  const paths: string[] = [];
  const visit = async (directory: FileSystemDirectoryEntry, prefix: string, depth: number): Promise<void> => {
    for (const entry of await listOf(directory)) {
      if (entry.isFile) {
        files.push(
          await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
        );
        paths.push(prefix + entry.name);
      } else if (depth < maxDepth) {
        await visit(entry as FileSystemDirectoryEntry, `${prefix}${entry.name}/`, depth + 1);
      }
    }
  };
  try {
    await visit(folder, `${folder.name}/`, 1);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot read the folder ${folder.name} (${reason}); drop it again.`;
    throw new EngineError("request-invalid", message, { details: { folder: folder.name }, cause });
  }
  return { files, paths };
}

/** Everything in a folder: its reader gives a part at a time, and an empty part at the end. */
async function listOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return all;
    all.push(...part);
  }
}
