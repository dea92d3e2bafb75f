import type { CheckpointManifest } from "../format/types.ts";
import { type DownloadOptions, downloadCheckpoint } from "./download.ts";
import { readManifest } from "./manifest.ts";
import { createCachedFiles } from "./stored-files.ts";
import type { CheckpointFiles } from "./types.ts";

export interface OpenCheckpointOptions extends Omit<DownloadOptions, "remote"> {
  readonly source: DownloadOptions["remote"];
}

export interface OpenedCheckpoint {
  /** Reads from the store; a damaged chunk is fetched from the source again. */
  readonly files: CheckpointFiles;
  readonly manifest: CheckpointManifest;
}

/**
 * Opens a checkpoint for loading: downloads what is not stored yet, then reads only from the store. Makes no
 * request at all where everything is stored.
 * @throws download-failed | checkpoint-invalid | checksum-mismatch | storage-full | storage-failed | aborted
 */
export async function openCheckpoint({
  source,
  ...options
}: OpenCheckpointOptions): Promise<OpenedCheckpoint> {
  const model = await downloadCheckpoint({ ...options, remote: source });
  const files = createCachedFiles({ store: options.store, model, remote: source });
  return { files, manifest: await readManifest(files, options.signal) };
}
