import type { ByteProgress } from "./types.ts";

export interface DownloadProgress {
  /** Counts bytes that arrived for `file`. */
  add(numBytes: number, file: string): void;
  /** Reports once whatever the step, e.g. at the start and the end. */
  report(file: string): void;
}

/**
 * Counts downloaded bytes and reports them about a thousand times in all: each report crosses from the worker
 * to the page.
 */
export function createDownloadProgress(
  sizes: { readonly loadedBytes: number; readonly totalBytes: number },
  onProgress: ((progress: ByteProgress) => void) | undefined,
): DownloadProgress {
  const { totalBytes } = sizes;
  const stepBytes = Math.min(Math.max(totalBytes / 1000, 64 * 1024), 1024 * 1024);
  let loadedBytes = sizes.loadedBytes;
  let reportedBytes = loadedBytes;
  const report = (file: string) => {
    reportedBytes = loadedBytes;
    onProgress?.({ phase: "download", loadedBytes, totalBytes, file });
  };
  return {
    report,
    add(numBytes, file) {
      loadedBytes += numBytes;
      if (loadedBytes - reportedBytes >= stepBytes) report(file);
    },
  };
}
