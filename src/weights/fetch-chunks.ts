import { throwIfAborted } from "../errors.ts";
import type { ChunkStore, StoredFile, StoredModel } from "./chunk-store.ts";
import { chunkRange, chunkRef, numChunks, sha256 } from "./chunks.ts";
import { createFileHasher, type FileHasher } from "./hashing/file-hash.ts";
import { createHashing, type Hashing } from "./hashing/hashing.ts";
import type { OpenHashPort } from "./hashing/protocol.ts";
import type { DownloadProgress } from "./progress.ts";
import type { PauseSwitch, RemoteFiles } from "./types.ts";

export interface FetchChunksOptions {
  readonly remote: RemoteFiles;
  readonly store: ChunkStore;
  readonly model: StoredModel;
  readonly progress: DownloadProgress;
  /** Chunks in flight, and as many that may wait to be hashed. */
  readonly connections: number;
  /** Opens a worker that hashes whole files. Absent: this thread does. */
  readonly openHashPort?: OpenHashPort | undefined;
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
  const { connections, openHashPort } = options;
  // The first failure stops the others, and all have ended before this function does.
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const hashing = createHashing({ openPort: openHashPort, maxWaiting: connections });
  const hashers = new Map<string, FileHasher>();
  const jobs = missingJobs(options, hashing, hashers);
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
  options.signal?.addEventListener("abort", hashing.close, { signal: stop.signal, once: true });
  const fetchers = Array.from({ length: connections }, () =>
    fetchNext().catch((error: unknown) => {
      failures.push(error);
      stop.abort();
      hashing.close();
    }),
  );
  try {
    await Promise.all(fetchers);
    if (failures.length > 0) throw failures[0];
    return await finishAll(hashers, options.signal);
  } finally {
    stop.abort();
    hashing.close();
    await Promise.all([...hashers.values()].map((hasher) => hasher.ended()));
  }
}

async function finishAll(
  hashers: ReadonlyMap<string, FileHasher>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const [name, hasher] of hashers) {
    throwIfAborted(signal);
    digests.set(name, await hasher.finish());
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
  { store, model, remote }: FetchChunksOptions,
  hashing: Hashing,
  hashers: Map<string, FileHasher>,
): AsyncGenerator<ChunkJob, undefined, undefined> {
  for (const file of model.files) {
    const stored = await store.listChunks(model.id, file.name);
    const hasher = await createFileHasher({ store, model, remote, hashing }, file);
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
    onWait: () => progress.report(file.name, "waiting-for-server"),
  });
  const digest = await sha256(bytes);
  throwIfAborted(signal);
  await store.putChunk(chunkRef(model, file, index), bytes, digest);
  await hasher.add(index, bytes);
}
