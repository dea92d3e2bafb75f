import type { StoredFile } from "./chunk-store.ts";
import type { ExpectedFile, FileStat } from "./types.ts";

/** What is kept of a server's word on a file. */
export function storedFile(name: string, stat: FileStat, expected?: ExpectedFile): StoredFile {
  const { sizeBytes, etag, lastModified } = stat;
  const sha256 = stat.sha256 ?? expected?.sha256;
  return {
    name,
    sizeBytes,
    etag: etag ?? null,
    ...(lastModified !== undefined && { lastModified }),
    ...(sha256 !== undefined && { expectedSha256: sha256 }),
  };
}

/**
 * Whether a server means the same file as before, by what of this both know: published SHA-256, ETag, Last-Modified
 * (which, unlike the ETag, browsers show across origins unasked). `unknown` where only the size is left, and agrees.
 */
export function compareVersions(before: StoredFile, now: StoredFile): "same" | "changed" | "unknown" {
  if (before.sizeBytes !== now.sizeBytes) return "changed";
  const marks = [
    [before.expectedSha256, now.expectedSha256],
    [before.etag ?? undefined, now.etag ?? undefined],
    [before.lastModified, now.lastModified],
  ];
  const [both] = marks.filter(([a, b]) => a !== undefined && b !== undefined);
  if (both === undefined) return "unknown";
  return both[0] === both[1] ? "same" : "changed";
}

/** Whether anything stood for a file's content when it was last asked for. */
export function isVouched({ etag, lastModified, expectedSha256 }: StoredFile): boolean {
  return etag !== null || lastModified !== undefined || expectedSha256 !== undefined;
}
