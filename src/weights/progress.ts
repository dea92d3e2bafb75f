import type { ByteProgress } from "./types.ts";

export interface DownloadProgress {
  /** Counts bytes that arrived for `file`. */
  add(numBytes: number, file: string): void;
  /** Reports once whatever the step, e.g. at the start and the end. */
  report(file: string, state?: ByteProgress["state"]): void;
  /** Reports the total. */
  complete(file: string): void;
}

interface ProgressOptions {
  readonly phase?: ByteProgress["phase"];
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** Milliseconds of any clock that only goes forward. Default: performance.now. */
  readonly now?: () => number;
}

/** The rate is that of the last seconds. */
const rateWindowMs = 8000;
/** Too short to tell a rate from. */
const minRateWindowMs = 500;

/**
 * Counts bytes and reports them about a thousand times in all: each report crosses from the worker to the page.
 * Never reports less than before, also where a file has to be fetched again.
 */
export function createDownloadProgress(
  { phase = "download", now = () => performance.now(), ...sizes }: ProgressOptions,
  onProgress: ((progress: ByteProgress) => void) | undefined,
): DownloadProgress {
  const { totalBytes } = sizes;
  const stepBytes = Math.min(Math.max(totalBytes / 1000, 64 * 1024), 1024 * 1024);
  const rate = createRate(now);
  let loadedBytes = sizes.loadedBytes;
  let reportedBytes = loadedBytes;
  rate.note(loadedBytes);

  function report(file: string, state: ByteProgress["state"] = "running"): void {
    reportedBytes = Math.max(reportedBytes, Math.min(loadedBytes, totalBytes));
    if (state === "running") rate.note(reportedBytes);
    else rate.restart();
    const bytesPerSecond = rate.bytesPerSecond();
    onProgress?.({
      phase,
      state,
      loadedBytes: reportedBytes,
      totalBytes,
      file,
      ...(bytesPerSecond !== undefined && {
        bytesPerSecond,
        remainingSeconds: (totalBytes - reportedBytes) / bytesPerSecond,
      }),
    });
  }
  return {
    report,
    complete(file) {
      loadedBytes = totalBytes;
      report(file);
    },
    add(numBytes, file) {
      loadedBytes += numBytes;
      if (loadedBytes - reportedBytes >= stepBytes) report(file);
    },
  };
}

function createRate(now: () => number) {
  let samples: { readonly atMs: number; readonly bytes: number }[] = [];
  return {
    note(bytes: number): void {
      const atMs = now();
      samples.push({ atMs, bytes });
      while ((samples[1]?.atMs ?? atMs) < atMs - rateWindowMs) samples.shift();
    },
    restart(): void {
      samples = [];
    },
    bytesPerSecond(): number | undefined {
      const [first, last] = [samples[0], samples.at(-1)];
      if (first === undefined || last === undefined || last.atMs - first.atMs < minRateWindowMs)
        return undefined;
      const rate = ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
      return rate > 0 ? rate : undefined;
    },
  };
}
