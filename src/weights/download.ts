import { EngineError, isEngineError, throwIfAborted } from "../errors.ts";
import { configName, generationConfigName } from "../format/config.ts";
import { parseJsonText } from "../format/json-text.ts";
import { shardIndexName, singleShardName } from "../format/shard-index.ts";
import type { CheckpointManifest } from "../format/types.ts";
import type { ChunkStore, StoredFile, StoredModel } from "./chunk-store.ts";
import { chunkRange, defaultChunkBytes, numChunks, sha256 } from "./chunks.ts";
import { readConfig, readIndex, readManifest } from "./manifest.ts";
import { createDownloadProgress, type DownloadProgress } from "./progress.ts";
import { createCachedFiles } from "./stored-files.ts";
import type { ByteProgress, CheckpointFiles, RemoteFiles } from "./types.ts";

/** Small files that are stored with the weights; those a checkpoint lacks are remembered as lacking. */
const textNames = [
  configName,
  shardIndexName,
  "tokenizer.json",
  "tokenizer_config.json",
  generationConfigName,
];

/** tokenizer.json of gpt-oss has 28 million characters. */
const maxTextChars = 128 * 1024 * 1024;

export interface DownloadOptions {
  readonly remote: RemoteFiles;
  readonly store: ChunkStore;
  /** Told of bytes of weights, those already stored included; the last report is exactly 100 %. */
  readonly onProgress?: ((progress: ByteProgress) => void) | undefined;
  /**
   * Told what the checkpoint is once config, index and headers are checked, before anything of it is stored or any
   * chunk fetched; what it throws ends the download. Not called where everything is stored.
   */
  readonly onManifest?: ((manifest: CheckpointManifest) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Chunks in flight; each takes `chunkBytes` of memory. Default 4. */
  readonly concurrency?: number | undefined;
  /** Default 16 MiB. A model that is already stored keeps its own. */
  readonly chunkBytes?: number | undefined;
}

/**
 * Brings a checkpoint into the store, fetching only what is missing. Config, index and every header are checked
 * before any chunk is fetched. Chunks of a file whose size or ETag changed are dropped. Safe to call again
 * after any failure or reload; no request is made where everything is stored.
 * @returns the record of the stored model, `ready`
 * @throws download-failed | checkpoint-invalid | storage-full | storage-failed | aborted | what `onManifest` throws
 */
export async function downloadCheckpoint(options: DownloadOptions): Promise<StoredModel> {
  const { remote, store, signal } = options;
  const known = await store.getModel(remote.id);
  if (known?.ready) return known;

  const texts = rememberTexts(remote);
  await readConfig(texts, signal); // before the index: a folder that is no checkpoint fails here, and says so
  const index = await readIndex(texts, signal);
  const names = index?.files ?? [singleShardName];
  const files = await Promise.all(names.map((name) => statFile(remote, name, signal)));
  const chunkBytes = options.chunkBytes ?? defaultChunkBytes;
  const draft: StoredModel = { version: 1, id: remote.id, chunkBytes, files, texts: [], ready: false };
  await dropStaleChunks(store, known, draft);
  const manifest = await readManifest(withStoredHeaders(texts, store, draft), signal);
  options.onManifest?.(manifest);

  const stored = await storedBytes(store, draft);
  const totalBytes = sumSizes(files);
  const progress = createDownloadProgress({ loadedBytes: stored, totalBytes }, options.onProgress);
  progress.report("tokenizer.json");
  try {
    const model: StoredModel = { ...draft, texts: await storeTexts(texts, store, signal) };
    await store.putModel(model);
    await fetchMissingChunks(options, model, progress);
    const ready: StoredModel = { ...model, ready: true };
    await store.putModel(ready);
    progress.report(files.at(-1)?.name ?? "");
    return ready;
  } catch (error) {
    if (!isEngineError(error, "storage-full")) throw error;
    const neededBytes = totalBytes - (await storedBytes(store, draft).catch(() => stored));
    throw new EngineError(
      "storage-full",
      `The browser has no more room: ${formatBytes(neededBytes)} of ${formatBytes(totalBytes)} are still to be stored. Free disk space or delete a stored model, then try again; what is stored is kept.`,
      { details: { ...error.details, neededBytes, totalBytes }, cause: error },
    );
  }
}

/** Bytes of the complete chunks of a model. */
export async function storedBytes(store: ChunkStore, model: StoredModel): Promise<number> {
  let total = 0;
  for (const { name, sizeBytes } of model.files) {
    for (const index of await store.listChunks(model.id, name)) {
      const { startBytes, endBytes } = chunkRange(sizeBytes, model.chunkBytes, index);
      total += endBytes - startBytes;
    }
  }
  return total;
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

async function statFile(remote: RemoteFiles, name: string, signal?: AbortSignal): Promise<StoredFile> {
  const { sizeBytes, etag } = await remote.stat(name, signal);
  return { name, sizeBytes, etag: etag ?? null };
}

async function dropStaleChunks(
  store: ChunkStore,
  known: StoredModel | undefined,
  now: StoredModel,
): Promise<void> {
  const current = new Map(now.files.map((file) => [file.name, file]));
  for (const old of known?.files ?? []) {
    const file = current.get(old.name);
    const same = file !== undefined && file.sizeBytes === old.sizeBytes && file.etag === old.etag;
    if (!same || known?.chunkBytes !== now.chunkBytes) await store.deleteFile(now.id, old.name);
  }
}

/** Reads headers from stored first chunks where they are, so that resuming fetches nothing twice. */
function withStoredHeaders(remote: RemoteFiles, store: ChunkStore, model: StoredModel): CheckpointFiles {
  const cached = createCachedFiles({ store, model, remote });
  return {
    ...remote,
    async read(name, startBytes, endBytes, signal) {
      const isStored = endBytes <= model.chunkBytes && (await store.listChunks(model.id, name))[0] === 0;
      return (isStored ? cached : remote).read(name, startBytes, endBytes, signal);
    },
  };
}

async function storeTexts(remote: RemoteFiles, store: ChunkStore, signal?: AbortSignal): Promise<string[]> {
  const stored: string[] = [];
  for (const name of textNames) {
    const text = await remote.readText(name, signal);
    if (text === undefined) continue;
    // Also tells a body that was cut short, which HTTP does not always show.
    parseJsonText(name, text, maxTextChars);
    await store.putText(remote.id, name, text);
    stored.push(name);
  }
  return stored;
}

interface ChunkJob {
  readonly file: StoredFile;
  readonly index: number;
}

async function fetchMissingChunks(options: DownloadOptions, model: StoredModel, progress: DownloadProgress) {
  const jobs = await missingChunks(options.store, model);
  // The first failure stops the others, and all have ended before this function does.
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  let next = 0;
  const fetchNext = async () => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      throwIfAborted(signal);
      await fetchChunk(options, model, job, { signal, progress });
    }
  };
  const failures: unknown[] = [];
  const fetchers = Array.from({ length: Math.max(1, options.concurrency ?? 4) }, () =>
    fetchNext().catch((error: unknown) => {
      failures.push(error);
      stop.abort();
    }),
  );
  await Promise.all(fetchers);
  if (failures.length > 0) throw failures[0];
}

async function missingChunks(store: ChunkStore, model: StoredModel): Promise<ChunkJob[]> {
  const jobs: ChunkJob[] = [];
  for (const file of model.files) {
    const have = new Set(await store.listChunks(model.id, file.name));
    const count = numChunks(file.sizeBytes, model.chunkBytes);
    for (let index = 0; index < count; index++) if (!have.has(index)) jobs.push({ file, index });
  }
  return jobs;
}

async function fetchChunk(
  { remote, store }: DownloadOptions,
  model: StoredModel,
  { file, index }: ChunkJob,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: DownloadProgress },
): Promise<void> {
  const bytes = await remote.fetchRange(file.name, chunkRange(file.sizeBytes, model.chunkBytes, index), {
    signal,
    onBytes: (numBytes) => progress.add(numBytes, file.name),
  });
  const digest = await sha256(bytes);
  throwIfAborted(signal);
  await store.putChunk({ id: model.id, file: file.name, index }, bytes, digest);
}

function sumSizes(files: readonly StoredFile[]): number {
  return files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}

function formatBytes(numBytes: number): string {
  return numBytes >= 1e9 ? `${(numBytes / 1e9).toFixed(1)} GB` : `${(numBytes / 1e6).toFixed(1)} MB`;
}
