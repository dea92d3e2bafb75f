import { EngineError, throwIfAborted } from "../errors.ts";
import type { StoredModel } from "./chunk-store.ts";
import { chunkRef } from "./chunks.ts";
import { downloadCheckpoint } from "./download.ts";
import type { OpenHashPort } from "./hashing/protocol.ts";
import { healChunk } from "./heal-chunk.ts";
import { healText } from "./stored-texts.ts";
import type { RemoteFiles } from "./types.ts";
import { type VerifiedFile, type VerifyOptions, type VerifyReport, verifyModel } from "./verify-model.ts";

export interface RepairOptions extends VerifyOptions {
  readonly remote: RemoteFiles;
  /** See DownloadOptions. */
  readonly openHashPort?: OpenHashPort | undefined;
}

/**
 * Checks a model and fetches again what is wrong: bad chunks alone, a whole file only where its chunks match their
 * digests but not the file's. A file that lost digests is hashed as a whole again. A model that was not complete is
 * completed.
 * @returns the report of the model as it is afterwards
 * @throws checksum-mismatch where the source has other bytes now | download-failed | storage-full | storage-failed
 * | busy | aborted
 */
export async function repairModel(options: RepairOptions): Promise<VerifyReport> {
  const { store, remote, signal, onProgress, openHashPort } = options;
  let { model } = options;
  const complete = () =>
    downloadCheckpoint({ remote, store, kind: model.kind, repairs: true, signal, onProgress, openHashPort });
  if (!model.ready) model = await complete();
  const before = await verifyModel({ ...options, model });
  if (before.ok) return before;
  for (const name of before.badTexts) await healText({ store, model, remote }, name, signal);
  let isPartial = false;
  for (const found of before.files) {
    if (!found.ok && found.badChunks.length === 0) {
      await store.putModel({ ...model, ready: false });
      await store.deleteFile(model.id, found.name);
      isPartial = true;
    } else if (await repairChunks(options, model, found)) isPartial = true;
  }
  if (isPartial) {
    await store.putModel({ ...model, ready: false });
    model = await complete();
  }
  const after = await verifyModel({ ...options, model });
  if (after.ok) return after;
  throw new EngineError(
    "checksum-mismatch",
    `${model.id} could not be repaired: what ${remote.id} has now is not what was stored. Delete the model and download it again.`,
    { details: { files: after.files.filter(({ ok }) => !ok).map(({ name }) => name) } },
  );
}

/** @returns whether chunks are left that have no digest to prove them by: the whole file's must */
async function repairChunks(
  { store, remote, signal }: RepairOptions,
  model: StoredModel,
  found: VerifiedFile,
): Promise<boolean> {
  const file = model.files.find(({ name }) => name === found.name);
  if (file === undefined) return false;
  let isLeft = false;
  for (const index of found.badChunks) {
    throwIfAborted(signal);
    const { bytes, digest } = await store.getChunk(chunkRef(model, file, index));
    if (digest === undefined) isLeft = true;
    else await healChunk({ store, model, remote }, file, index, { bytes, digest });
  }
  return isLeft;
}
