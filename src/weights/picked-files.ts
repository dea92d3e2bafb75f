import { EngineError } from "../errors.ts";
import { inspectFolder, type PickedFolder, type PickedPurpose, pickedId } from "./picked-folder.ts";
import { readPicked, readPickedText } from "./picked-read.ts";
import type { DirectoryLocation, FilesLocation } from "./source-types.ts";
import { textFileNames } from "./tokenizer-source.ts";
import type { RemoteFiles } from "./types.ts";

/**
 * A checkpoint (or a tokenizer, or an adapter) in a folder that the user picked or dropped. Only the bytes asked for are read, from the disk, each time;
 * nothing crosses the network. As it can be asked like a server, it can also be imported into the store.
 * @throws checkpoint-invalid naming what is missing | request-invalid
 */
export async function folderFiles(
  location: FilesLocation | DirectoryLocation,
  purpose: PickedPurpose = "checkpoint",
): Promise<RemoteFiles> {
  const picked = await inspectFolder(location, purpose);
  checkComplete(picked);
  const { files, filesAbove } = picked;
  const fileOf = (name: string): File => {
    const file = files.get(name);
    if (file !== undefined) return file;
    throw new EngineError("checkpoint-invalid", `The folder ${picked.name} has no file ${name}.`, {
      details: { file: name },
    });
  };
  return {
    id: await pickedId(picked),
    async readText(name, signal) {
      const file = files.get(name) ?? (textFileNames.includes(name) ? filesAbove.get(name) : undefined);
      return file === undefined ? undefined : readPickedText(name, file, signal);
    },
    sizeBytes: async (name) => fileOf(name).size,
    async stat(name) {
      const { size, lastModified } = fileOf(name);
      return { sizeBytes: size, etag: `${size}-${lastModified}` };
    },
    read: (name, startBytes, endBytes, signal) =>
      readPicked(name, fileOf(name), { startBytes, endBytes }, signal),
    async fetchRange(name, range, { signal, onBytes } = {}) {
      const bytes = await readPicked(name, fileOf(name), range, signal);
      onBytes?.(bytes.byteLength);
      return bytes;
    },
  };
}

function checkComplete({ name, missing, extra }: PickedFolder): void {
  if (missing.length === 0) return;
  const others = extra.length === 0 ? "" : ` It has ${extra.join(", ")}, which the index does not name.`;
  throw new EngineError(
    "checkpoint-invalid",
    `The folder ${name} lacks ${missing.join(", ")}.${others} Pick the whole folder, with every file of the checkpoint.`,
    { details: { folder: name, missing, extra } },
  );
}
