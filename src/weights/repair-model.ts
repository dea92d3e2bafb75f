import { EngineError, throwIfAborted } from "../errors.ts";
import { healChunk } from "./chunk-reader.ts";
import type { StoredModel } from "./chunk-store.ts";
import { chunkRef } from "./chunks.ts";
import { downloadCheckpoint } from "./download.ts";
import type { OpenHashPort } from "./hashing/protocol.ts";
import type { RemoteFiles } from "./types.ts";
import { type VerifiedFile, type VerifyOptions, type VerifyReport, verifyModel } from "./verify-model.ts";

export interface RepairOptions extends VerifyOptions {
  readonly remote: RemoteFiles;
  /** See DownloadOptions. */
  readonly openHashPort?: OpenHashPort | undefined;
}

/**
 * Checks a model and fetches again what is wrong: bad chunks alone, a whole file only where its chunks match their
 * digests but not the file's. A model that was not complete is completed.
 * @returns the report of the model as it is afterwards
 * @throws checksum-mismatch where the source has other bytes now | download-failed | storage-full | storage-failed
 * | busy | aborted
 */
export async function repairModel(options: RepairOptions): Promise<VerifyReport> {
  const { store, remote, signal, onProgress, openHashPort } = options;
  let { model } = options;
  if (!model.ready) model = await downloadCheckpoint({ remote, store, signal, onProgress, openHashPort });
  const before = await verifyModel({ ...options, model });
  if (before.ok) return before;
  for (const name of before.badTexts) await repairText(options, name);
  const isWrong = (file: VerifiedFile) => !file.ok && file.badChunks.length === 0;
  for (const file of before.files) await repairChunks(options, model, file);
  if (before.files.some(isWrong)) {
    await store.putModel({ ...model, ready: false });
    for (const file of before.files.filter(isWrong)) await store.deleteFile(model.id, file.name);
    model = await downloadCheckpoint({ remote, store, signal, onProgress, openHashPort });
  }
  const after = await verifyModel({ ...options, model });
  if (after.ok) return after;
  throw new EngineError(
    "checksum-mismatch",
    `${model.id} could not be repaired: what ${remote.id} has now is not what was stored. Delete the model and download it again.`,
    { details: { files: after.files.filter(({ ok }) => !ok).map(({ name }) => name) } },
  );
}

async function repairText({ store, remote, model, signal }: RepairOptions, name: string): Promise<void> {
  const text = await remote.readText(name, signal);
  if (text !== undefined) await store.putText(model.id, name, text);
}

async function repairChunks(
  { store, remote, signal }: RepairOptions,
  model: StoredModel,
  found: VerifiedFile,
) {
  const file = model.files.find(({ name }) => name === found.name);
  if (file === undefined) return;
  for (const index of found.badChunks) {
    throwIfAborted(signal);
    const { bytes, digest } = await store.getChunk(chunkRef(model, file, index));
    await healChunk({ store, model, remote }, file, index, { bytes, digest });
  }
}
