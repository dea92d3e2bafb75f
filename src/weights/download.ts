import { EngineError, isEngineError } from "../errors.ts";
import type { CheckpointManifest } from "../format/types.ts";
import type { ChunkStore, StoredFile, StoredModel } from "./chunk-store.ts";
import { defaultChunkBytes, withChunksDigest } from "./chunks.ts";
import { keepStoredFiles, statFile } from "./draft-model.ts";
import { countMissingChunks, fetchMissingChunks } from "./fetch-chunks.ts";
import type { OpenHashPort } from "./hashing/protocol.ts";
import { listModels, type StoredModelSummary } from "./models.ts";
import { createDownloadProgress, type DownloadProgress } from "./progress.ts";
import { storageFullError } from "./storage-full.ts";
import { storedBytes } from "./stored-bytes.ts";
import { type StoredKind, storedContents } from "./stored-contents.ts";
import { createCachedFiles } from "./stored-files.ts";
import { addTexts, findBadTexts, readStoredText, storeTexts, wantsTexts } from "./stored-texts.ts";
import type { ByteProgress, CheckpointFiles, PauseSwitch, RemoteFiles } from "./types.ts";

/** How often a download begins again because the server's files changed, the store was cleared, or bytes were wrong. */
const maxRestarts = 3;

export interface DownloadOptions {
  readonly remote: RemoteFiles;
  readonly store: ChunkStore;
  /** What the files are. Default: a checkpoint. */
  readonly kind?: StoredKind | undefined;
  /** Told of bytes of weights, those already stored included; the last report is exactly 100 %. */
  readonly onProgress?: ((progress: ByteProgress) => void) | undefined;
  /**
   * Told what the checkpoint is once config, index and headers are checked, before anything of it is stored or any
   * chunk fetched; what it throws ends the download. Not called where everything is stored.
   */
  readonly onManifest?: ((manifest: CheckpointManifest) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly pause?: PauseSwitch | undefined;
  /** Chunks in flight; each takes `chunkBytes` of memory, and as much again while it waits to be hashed. Default 4. */
  readonly connections?: number | undefined;
  /** Opens the worker that hashes whole files. Default: they are hashed on this thread. */
  readonly openHashPort?: OpenHashPort | undefined;
  /** Default 16 MiB. A model that is already stored keeps its own. */
  readonly chunkBytes?: number | undefined;
  /**
   * Completes a model that was whole once: its chunks are kept whatever ETag the source sends now, and each file must get
   * the SHA-256 that it had. Default false.
   */
  readonly repairs?: boolean | undefined;
  /** Kept in the model's record: how it was asked for, as JSON data. */
  readonly asked?: unknown;
  /** The models that take room, for `storage-full`. Default: those of `store`. */
  readonly listStored?: (() => Promise<readonly StoredModelSummary[]>) | undefined;
}

/**
 * Brings a checkpoint into the store, fetching only what is missing. Config, index and every header are checked
 * before any chunk is fetched. Chunks of a file whose size, ETag or Last-Modified changed are dropped, also in
 * mid-download; so are those of a file for which its server sends none of these and publishes no SHA-256. A file counts
 * only once its whole SHA-256 is known, and is what the source publishes, where it does. Safe to call again
 * after any failure or reload; no request is made where everything is stored, but for a tokenizer that was asked for
 * (`RemoteFiles.laterTexts`) and is lacking.
 * @returns the record of the stored model, `ready`
 * @throws download-failed | checkpoint-invalid | checksum-mismatch | storage-full | storage-failed | busy | aborted
 * | what `onManifest` throws
 */
export async function downloadCheckpoint(options: DownloadOptions): Promise<StoredModel> {
  const { store, remote } = options;
  const known = await store.getModel(remote.id);
  checkKind(known, options.kind ?? "checkpoint");
  if (known?.ready) {
    return wantsTexts(known, remote.laterTexts) ? addTexts(store, known, remote.laterTexts, options) : known;
  }
  const shared: Shared = { progress: undefined, totalBytes: 0, isManifestTold: false, wrongFiles: new Set() };
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await downloadOnce(options, shared);
    } catch (error) {
      const mayRestart = error instanceof Restart || isFileChanged(error);
      if (!mayRestart || restarts === maxRestarts) throw error instanceof Restart ? error.reason : error;
    }
  }
}

/** What is stored under the same id as something else is not to be lost by a mistake. */
function checkKind(known: StoredModel | undefined, kind: StoredKind): void {
  const stored = known?.kind ?? "checkpoint";
  if (known === undefined || stored === kind) return;
  const [what, todo] =
    stored === "adapter"
      ? ["a LoRA adapter", "Load its base model and pass it as `lora`"]
      : ["a checkpoint, not as a LoRA adapter", "Load it as a model"];
  throw new EngineError(
    "request-invalid",
    `${known.id} is stored as ${what}. ${todo}, or delete it or give another \`id\`.`,
    { details: { id: known.id, stored } },
  );
}

/** What one try leaves to the next. */
interface Shared {
  progress: DownloadProgress | undefined;
  /** Bytes of all files, as `progress` was told. */
  totalBytes: number;
  isManifestTold: boolean;
  /** Files whose SHA-256 was wrong once. */
  readonly wrongFiles: Set<string>;
}

/** Thrown to begin again; `reason` is for the user where that was tried often enough. */
class Restart extends Error {
  readonly reason: EngineError;

  constructor(reason: EngineError) {
    super(reason.message);
    this.reason = reason;
  }
}

async function downloadOnce(options: DownloadOptions, shared: Shared): Promise<StoredModel> {
  const { remote, store, signal, pause, openHashPort } = options;
  const { kind = "checkpoint", repairs = false } = options;
  const contents = storedContents[kind];
  const known = await store.getModel(remote.id);
  const texts = rememberTexts(repairs ? withKnownTexts(remote, store, known) : remote);
  const names = await contents.largeFiles(texts, signal);
  const files = await Promise.all(names.map((name) => statFile(remote, name, signal)));
  const chunkBytes = known?.chunkBytes ?? options.chunkBytes ?? defaultChunkBytes;
  const source = options.asked ?? known?.source;
  const fresh: StoredModel = {
    version: 1,
    id: remote.id,
    chunkBytes,
    files,
    texts: [],
    ready: false,
    ...(kind === "adapter" && { kind }),
    ...(source !== undefined && { source }),
  };
  const draft = await keepStoredFiles(store, known, fresh, repairs);
  const manifest = await contents.check(withStoredHeaders(texts, store, draft), signal);
  if (!shared.isManifestTold && manifest !== undefined) options.onManifest?.(manifest);
  shared.isManifestTold = true;

  const totalBytes = sumSizes(files);
  const loadedBytes = await storedBytes(store, draft);
  // A try after a change at the source may be one of another size.
  if (shared.progress === undefined || shared.totalBytes !== totalBytes)
    shared.progress = createDownloadProgress({ loadedBytes, totalBytes }, options.onProgress);
  shared.totalBytes = totalBytes;
  const { progress } = shared;
  progress.report("tokenizer.json");
  try {
    const model = { ...draft, ...(await storeTexts(store, remote.id, texts, contents.texts, signal)) };
    await store.putModel(model);
    const digests = await fetchMissingChunks({
      ...{ remote, store, model, signal, pause, openHashPort, progress },
      connections: Math.max(1, options.connections ?? 4),
    });
    const ready = await finish({ store, model, digests, repairs }, shared);
    progress.complete(files.at(-1)?.name ?? "");
    return ready;
  } catch (error) {
    if (!isEngineError(error, "storage-full")) throw error;
    const neededBytes = totalBytes - (await storedBytes(store, draft).catch(() => loadedBytes));
    const models = await (options.listStored?.() ?? listModels(store)).catch(() => []);
    throw storageFullError(error, { id: remote.id, neededBytes, totalBytes, models });
  }
}

/** A model whose chunks were all fetched. */
interface Fetched {
  readonly store: ChunkStore;
  readonly model: StoredModel;
  /** SHA-256 by file. */
  readonly digests: ReadonlyMap<string, string>;
  readonly repairs: boolean;
}

/** Makes the model `ready`, if its files are what the source publishes and all of them are still there. */
async function finish(
  { store, model, digests, repairs }: Fetched,
  { wrongFiles }: Shared,
): Promise<StoredModel> {
  const files: StoredFile[] = [];
  for (const file of model.files) {
    const sha256 = digests.get(file.name);
    if (sha256 === undefined) throw new EngineError("internal", `${file.name} was not hashed.`);
    const expected = file.expectedSha256 ?? (repairs ? file.sha256 : undefined);
    if (expected !== undefined && sha256 !== expected) {
      await store.deleteFile(model.id, file.name);
      const reason = wrongFile(file, sha256, expected);
      if (wrongFiles.has(file.name)) throw reason;
      wrongFiles.add(file.name);
      throw new Restart(reason);
    }
    files.push(await withChunksDigest(store, model, { ...file, sha256 }));
  }
  // What was cleared while it was written is found missing here, not by the next visit.
  await store.release(model.id);
  const record = await store.getModel(model.id);
  const numMissing = await countMissingChunks(store, model);
  const badTexts = await findBadTexts(store, model);
  if (record === undefined || numMissing > 0 || badTexts.length > 0) {
    throw new Restart(
      new EngineError(
        "storage-failed",
        `The browser removed parts of the model while it was downloaded (${[`${numMissing} chunks`, ...badTexts].join(", ")}). Keep the site's data, then try again.`,
        { details: { numMissing, badTexts } },
      ),
    );
  }
  const ready: StoredModel = { ...model, files, ready: true };
  await store.putModel(ready);
  return ready;
}

function wrongFile({ name, expectedSha256 }: StoredFile, got: string, expected: string): EngineError {
  return new EngineError(
    "checksum-mismatch",
    `${name} was downloaded twice, and its SHA-256 is ${got}, not ${expected} as ${expectedSha256 === undefined ? "it was when the model was stored" : "the source publishes"}. Check the network (a proxy may change files), then try again.`,
    { details: { file: name, got, expected } },
  );
}

function isFileChanged(error: unknown): boolean {
  return isEngineError(error, "download-failed") && error.details.reason === "file-changed";
}

/** The same files, each text fetched once: it is checked, then stored. */
function rememberTexts(remote: RemoteFiles): RemoteFiles {
  const texts = new Map<string, string | undefined>();
  return {
    ...remote,
    async readText(name, signal) {
      if (!texts.has(name)) texts.set(name, await remote.readText(name, signal));
      return texts.get(name);
    },
  };
}

/** For a repair of a model that was whole once: its small files must stay the ones that they were. */
function withKnownTexts(remote: RemoteFiles, store: ChunkStore, known: StoredModel | undefined): RemoteFiles {
  if (known === undefined || !known.files.some(({ sha256 }) => sha256 !== undefined)) return remote;
  const readText = async (name: string, signal?: AbortSignal) =>
    (await readStoredText({ store, model: known, remote }, name, signal)) ?? remote.readText(name, signal);
  return { ...remote, readText };
}

/** Reads headers from stored first chunks where they are, so that resuming fetches nothing twice. */
function withStoredHeaders(remote: RemoteFiles, store: ChunkStore, model: StoredModel): CheckpointFiles {
  const cached = createCachedFiles({ store, model, remote });
  return {
    id: remote.id,
    readText: remote.readText,
    sizeBytes: remote.sizeBytes,
    async read(name, startBytes, endBytes, signal) {
      const isStored = endBytes <= model.chunkBytes && (await store.listChunks(model.id, name)).has(0);
      return (isStored ? cached : remote).read(name, startBytes, endBytes, signal);
    },
  };
}

function sumSizes(files: readonly StoredFile[]): number {
  return files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
