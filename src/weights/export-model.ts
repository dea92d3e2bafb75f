import { EngineError, throwIfAborted } from "../errors.ts";
import { readChunk } from "./chunk-reader.ts";
import { numChunks } from "./chunks.ts";
import { inOrderAhead } from "./in-order-ahead.ts";
import { createDownloadProgress } from "./progress.ts";
import { isLostFile, storageError } from "./storage-errors.ts";
import { readStoredText } from "./stored-texts.ts";
import type { VerifyOptions } from "./verify-model.ts";

export interface ExportOptions extends VerifyOptions {
  /** Where the files go, under the names they have in the checkpoint; files of these names are replaced. */
  readonly folder: FileSystemDirectoryHandle;
}

/**
 * Copies a stored model into a folder on disk, chunk by chunk, each checked against its SHA-256. Where a
 * file cannot be written whole, it is removed again; one that was there before keeps its content then.
 * @throws request-invalid where the model is not complete | checksum-mismatch | storage-full | storage-failed | aborted
 */
export async function exportModel(options: ExportOptions): Promise<void> {
  const { store, model, onProgress, signal } = options;
  if (!model.ready) {
    throw new EngineError("request-invalid", `Cannot export ${model.id}: it is not downloaded completely.`, {
      details: { id: model.id },
    });
  }
  const totalBytes = model.files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const progress = createDownloadProgress({ phase: "export", loadedBytes: 0, totalBytes }, onProgress);
  for (const name of model.texts) {
    const text = (await readStoredText({ store, model }, name, signal)) ?? "";
    await writeFile(options, name, async (write) => write(new TextEncoder().encode(text)));
  }
  for (const file of model.files) {
    await writeFile(options, file.name, async (write) => {
      const count = numChunks(file.sizeBytes, model.chunkBytes);
      for await (const bytes of inOrderAhead(count, (index) => readChunk({ store, model }, file, index))) {
        throwIfAborted(signal);
        await write(bytes);
        progress.add(bytes.byteLength, file.name);
      }
    });
  }
  progress.complete(model.files.at(-1)?.name ?? "");
}

type Write = (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

async function writeFile(
  { folder }: ExportOptions,
  path: string,
  fill: (write: Write) => Promise<void>,
): Promise<void> {
  const action = `writing ${path} to the folder ${folder.name}`;
  const attempt = <T>(work: Promise<T>) =>
    work.catch((error: unknown) => Promise.reject(folderError(action, error)));
  const file = await attempt(createFile(folder, path));
  let writable: FileSystemWritableFileStream | undefined;
  try {
    const opened = await attempt(file.handle.createWritable());
    writable = opened;
    await fill((bytes) => attempt(opened.write(bytes)));
    await attempt(opened.close());
  } catch (error) {
    await writable?.abort().catch(() => {});
    await file.removeIfNew();
    throw error;
  }
}

interface MadeFile {
  readonly handle: FileSystemFileHandle;
  /** Opening a file to be written makes an empty one at once; one that was there before keeps its content until `close`. */
  removeIfNew(): Promise<void>;
}

/** A file by its path below the folder: checkpoints in OpenAI's layout have a subfolder. */
async function createFile(folder: FileSystemDirectoryHandle, path: string): Promise<MadeFile> {
  const parts = path.split("/");
  const name = parts.pop() ?? path;
  let parent = folder;
  for (const part of parts) parent = await parent.getDirectoryHandle(part, { create: true });
  const wasThere = await parent.getFileHandle(name).then(
    () => true,
    (error: unknown) => !isLostFile(error),
  );
  return {
    handle: await parent.getFileHandle(name, { create: true }),
    removeIfNew: async () => {
      if (!wasThere) await parent.removeEntry(name).catch(() => {});
    },
  };
}

function folderError(action: string, error: unknown): EngineError {
  const name = error instanceof Error ? error.name : "";
  if (name !== "NotAllowedError" && name !== "SecurityError" && !isLostFile(error))
    return storageError(action, error);
  return new EngineError(
    "storage-failed",
    `${action} failed: the browser may not write there. Pick the folder again.`,
    {
      details: { name },
      cause: error,
    },
  );
}
