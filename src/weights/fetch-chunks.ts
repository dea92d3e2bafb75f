import { throwIfAborted } from "../errors.ts";
import type { ChunkStore, StoredFile, StoredModel } from "./chunk-store.ts";
import { chunkRange, chunkRef, numChunks, sha256 } from "./chunks.ts";
import { createFileHasher, type FileHasher } from "./file-hash.ts";
import type { DownloadProgress } from "./progress.ts";
import type { PauseSwitch, RemoteFiles } from "./types.ts";

export interface FetchChunksOptions {
  readonly remote: RemoteFiles;
  readonly store: ChunkStore;
  readonly model: StoredModel;
  readonly progress: DownloadProgress;
  /** Chunks in flight. */
  readonly connections: number;
  readonly pause: PauseSwitch | undefined;
  readonly signal: AbortSignal | undefined;
}

interface ChunkJob {
  readonly file: StoredFile;
  readonly index: number;
  readonly hasher: FileHasher;
}

/**
 * Fetches and stores the chunks that are missing, several at a time, in file order.
 * @returns the SHA-256 of each file by name
 * @throws what `remote` and `store` throw; then all that was in flight has ended
 */
export async function fetchMissingChunks(options: FetchChunksOptions): Promise<ReadonlyMap<string, string>> {
  const { model, connections } = options;
  // The first failure stops the others, and all have ended before this function does.
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const hashers = new Map<string, FileHasher>();
  const jobs = missingJobs(options, hashers);
  const fetchNext = async () => {
    for (;;) {
      throwIfAborted(signal);
      const { value: job } = await jobs.next();
      if (job === undefined) return;
      await fetchChunk(options, job, signal);
    }
  };
  const failures: unknown[] = [];
  showPauses(options, signal);
  const fetchers = Array.from({ length: connections }, () =>
    fetchNext().catch((error: unknown) => {
      failures.push(error);
      stop.abort();
    }),
  );
  await Promise.all(fetchers);
  stop.abort();
  if (failures.length > 0) throw failures[0];
  const digests = new Map<string, string>();
  for (const { name } of model.files) {
    throwIfAborted(options.signal);
    const digest = await hashers.get(name)?.finish();
    if (digest !== undefined) digests.set(name, digest);
  }
  return digests;
}

/** Reports each pause and its end, until the signal fires. */
function showPauses(
  { pause, progress, model }: Pick<FetchChunksOptions, "pause" | "progress" | "model">,
  ended: AbortSignal,
): void {
  if (pause === undefined || ended.aborted) return;
  const file = model.files[0]?.name ?? "";
  const { signal } = pause;
  const onPause = () => {
    progress.report(file, "paused");
    const goOn = () => {
      progress.report(file);
      showPauses({ pause, progress, model }, ended);
    };
    pause.resumed(ended).then(goOn, () => {});
  };
  if (signal.aborted) onPause();
  else signal.addEventListener("abort", onPause, { once: true, signal: ended });
}

/** The number of chunks that are not stored. */
export async function countMissingChunks(store: ChunkStore, model: StoredModel): Promise<number> {
  let missing = 0;
  for (const file of model.files) {
    const stored = await store.listChunks(model.id, file.name);
    const count = numChunks(file.sizeBytes, model.chunkBytes);
    for (let index = 0; index < count; index += 1) if (!stored.has(index)) missing += 1;
  }
  return missing;
}

/** Jobs in file order. Calls of `next` queue up, so several fetchers may share it. */
async function* missingJobs(
  { store, model, remote, connections }: FetchChunksOptions,
  hashers: Map<string, FileHasher>,
): AsyncGenerator<ChunkJob, undefined, undefined> {
  for (const file of model.files) {
    const stored = await store.listChunks(model.id, file.name);
    const hasher = await createFileHasher({ store, model, remote, maxWaiting: connections }, file);
    hashers.set(file.name, hasher);
    const count = numChunks(file.sizeBytes, model.chunkBytes);
    for (let index = 0; index < count; index += 1) if (!stored.has(index)) yield { file, index, hasher };
  }
  return undefined;
}

async function fetchChunk(
  { remote, store, model, progress, pause }: FetchChunksOptions,
  { file, index, hasher }: ChunkJob,
  signal: AbortSignal,
): Promise<void> {
  await pause?.resumed(signal);
  const bytes = await remote.fetchRange(file.name, chunkRange(file.sizeBytes, model.chunkBytes, index), {
    signal,
    pause,
    onBytes: (numBytes) => progress.add(numBytes, file.name),
  });
  const digest = await sha256(bytes);
  throwIfAborted(signal);
  await store.putChunk(chunkRef(model, file, index), bytes, digest);
  await hasher.add(index, bytes);
}
