import type { CheckpointManifest } from "../format/types.ts";
import type { ChunkStore, StoredModel } from "./chunk-store.ts";
import { type DownloadOptions, downloadCheckpoint } from "./download.ts";
import { readManifest } from "./manifest.ts";
import { createCachedFiles } from "./stored-files.ts";
import type { CheckpointFiles, RemoteFiles } from "./types.ts";
import type { VerifyMode } from "./verify-mode.ts";

/** Does work on a model unless another tab is changing it: then the work is left out. */
export type IfUnchanged = (id: string, work: () => Promise<void>) => Promise<void>;

export interface OpenCheckpointOptions extends Omit<DownloadOptions, "remote"> {
  readonly source: DownloadOptions["remote"];
  readonly verify?: VerifyMode | undefined;
  /** Default: the work is always done. */
  readonly ifUnchanged?: IfUnchanged | undefined;
}

export interface OpenedCheckpoint {
  /** Reads from the store; a damaged chunk is fetched from the source again. */
  readonly files: CheckpointFiles;
  readonly manifest: CheckpointManifest;
}

/**
 * Opens a checkpoint for loading: downloads what is not stored yet, then reads only from the store. Makes no
 * request at all where everything is stored.
 * @throws download-failed | checkpoint-invalid | checksum-mismatch | storage-full | storage-failed | busy | aborted
 */
export async function openCheckpoint({
  source,
  verify,
  ifUnchanged,
  ...options
}: OpenCheckpointOptions): Promise<OpenedCheckpoint> {
  const { store, signal } = options;
  const remote = { ...options, remote: source };
  const model = await downloadCheckpoint(remote).finally(() => store.release(source.id));
  const files = openModelFiles({ store, model, remote: source, verify, ifUnchanged });
  try {
    return { files, manifest: await readManifest(files, signal) };
  } catch (error) {
    await files.close?.();
    throw error;
  }
}

/**
 * The files of a stored model, checked as `verify` says, but in full as long as they were never read back whole.
 * @see StorageOptions.verify
 */
export function openModelFiles(options: {
  readonly store: ChunkStore;
  readonly model: StoredModel;
  readonly remote: RemoteFiles | undefined;
  readonly verify: VerifyMode | undefined;
  readonly ifUnchanged?: IfUnchanged | undefined;
}): CheckpointFiles {
  const { store, model, verify, ifUnchanged = always } = options;
  return createCachedFiles({
    ...options,
    verify: verify === "none" || model.checked ? (verify ?? usualVerify(model)) : "full",
    onAllChecked: () => ifUnchanged(model.id, () => noteChecked(store, model.id)).catch(() => {}), // then it is read in full once more
  });
}

/** Hashing takes 1 to 2 s a GB: a model up to this size is checked in full each time. */
const mostCheckedBytes = 2 * 1024 ** 3;

function usualVerify({ files }: StoredModel): VerifyMode {
  const totalBytes = files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return totalBytes <= mostCheckedBytes ? "full" : "sampled";
}

const always: IfUnchanged = (_id, work) => work();

/** Reads the record and writes it: nobody may write it meanwhile, as a repair does that takes `ready` back. */
async function noteChecked(store: ChunkStore, id: string): Promise<void> {
  const model = await store.getModel(id);
  if (model?.ready && !model.checked) await store.putModel({ ...model, checked: true });
}
