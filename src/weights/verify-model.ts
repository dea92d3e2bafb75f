import { throwIfAborted } from "../errors.ts";
import type { ChunkStore, StoredFile, StoredModel } from "./chunk-store.ts";
import { chunkRange, chunkRef, digestOfDigests, numChunks, withChunksDigest } from "./chunks.ts";
import { createSha256 } from "./hashing/sha256.ts";
import { inOrderAhead } from "./in-order-ahead.ts";
import { createDownloadProgress, type DownloadProgress } from "./progress.ts";
import { findBadTexts, textDigests } from "./stored-texts.ts";
import type { ByteProgress } from "./types.ts";

/** What a check of every stored byte found. */
export interface VerifyReport {
  readonly id: string;
  /** True where the model is complete and everything matches. */
  readonly ok: boolean;
  readonly files: readonly VerifiedFile[];
  /** Small files that are lost or damaged. */
  readonly badTexts: readonly string[];
}

export interface VerifiedFile {
  readonly name: string;
  readonly ok: boolean;
  /** Chunks that are lost, or whose bytes do not match their SHA-256. */
  readonly badChunks: readonly number[];
  /** SHA-256 in hex of the file as it is stored; absent where chunks are bad, since they are then what is wrong. */
  readonly sha256?: string;
  /** What it should be: what the source publishes, else what was fetched. Absent where an older version stored the file. */
  readonly expectedSha256?: string;
}

export interface VerifyOptions {
  readonly store: ChunkStore;
  readonly model: StoredModel;
  readonly onProgress?: ((progress: ByteProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks every small file and every stored chunk against its SHA-256, and that these are the digests of the file whose own SHA-256 was taken
 * when it was stored; where that is not known, hashes the whole file, at 0.3 GB/s. Reads all of the model. Changes nothing
 * but the model's record, which remembers a success.
 * @throws storage-failed | busy | aborted
 */
export async function verifyModel(options: VerifyOptions): Promise<VerifyReport> {
  const { store, model, onProgress } = options;
  const totalBytes = model.files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const progress = createDownloadProgress({ phase: "verify", loadedBytes: 0, totalBytes }, onProgress);
  const badTexts = await findBadTexts(store, model);
  const files: VerifiedFile[] = [];
  for (const file of model.files) files.push(await verifyFile(options, file, progress));
  const ok = model.ready && badTexts.length === 0 && files.every((file) => file.ok);
  const isKnown =
    model.files.every((file) => file.chunksSha256 !== undefined) &&
    model.texts.every((name) => model.textsSha256?.[name] !== undefined);
  if (ok && !(model.checked && isKnown)) {
    const textsSha256 = await textDigests(store, model);
    await store.putModel({
      ...model,
      textsSha256,
      checked: true,
      files: await withDigests(options, files),
    });
  }
  progress.complete(model.files.at(-1)?.name ?? "");
  return { id: model.id, ok, files, badTexts };
}

async function verifyFile(
  { store, model, signal }: VerifyOptions,
  file: StoredFile,
  progress: DownloadProgress,
): Promise<VerifiedFile> {
  const count = numChunks(file.sizeBytes, model.chunkBytes);
  const digests = await store.listChunks(model.id, file.name);
  const isKnown =
    file.chunksSha256 !== undefined && file.chunksSha256 === (await digestOfDigests(digests, count));
  const hasher = isKnown ? undefined : await createSha256();
  const badChunks: number[] = [];
  const memory: Uint8Array[] = [];
  const read = async (index: number, slot: number) => {
    const { startBytes, endBytes } = chunkRange(file.sizeBytes, model.chunkBytes, index);
    const sizeBytes = endBytes - startBytes;
    const digest = digests.get(index);
    if (digest === undefined) return { bytes: undefined, sizeBytes };
    memory[slot] ??= new Uint8Array(Math.min(model.chunkBytes, file.sizeBytes));
    const bytes = memory[slot].subarray(0, sizeBytes);
    const isGood = digest === (await store.readWithDigest(chunkRef(model, file, index), bytes));
    return { bytes: isGood ? bytes : undefined, sizeBytes };
  };
  let index = 0;
  for await (const { bytes, sizeBytes } of inOrderAhead(count, read)) {
    throwIfAborted(signal);
    if (bytes === undefined) badChunks.push(index);
    else if (badChunks.length === 0) hasher?.update(bytes);
    progress.add(sizeBytes, file.name);
    index += 1;
  }
  const expected = file.expectedSha256 ?? file.sha256;
  const digest = badChunks.length === 0 ? (hasher?.digest("hex") ?? file.sha256) : undefined;
  return {
    name: file.name,
    ok: digest !== undefined && (expected === undefined || digest === expected),
    badChunks,
    ...(digest !== undefined && { sha256: digest }),
    ...(expected !== undefined && { expectedSha256: expected }),
  };
}

/** The model's files with the digests that were found, where none were known. */
function withDigests({ store, model }: VerifyOptions, found: readonly VerifiedFile[]): Promise<StoredFile[]> {
  const files = model.files.map((file, i) => {
    const digest = file.sha256 ?? found[i]?.sha256;
    return digest === undefined ? file : { ...file, sha256: digest };
  });
  return Promise.all(files.map((file) => withChunksDigest(store, model, file)));
}
