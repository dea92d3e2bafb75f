import { EngineError } from "../errors.ts";
import type { ChunkStore, StoredFile, StoredModel } from "./chunk-store.ts";
import { compareVersions, isVouched, storedFile } from "./file-version.ts";
import type { RemoteFiles } from "./types.ts";

/** What the source says of a file now. @throws download-failed where the server's size is not the listed one */
export async function statFile(remote: RemoteFiles, name: string, signal?: AbortSignal): Promise<StoredFile> {
  const stat = await remote.stat(name, signal);
  const { sizeBytes } = stat;
  const expected = await remote.expected?.(name, signal);
  if (expected !== undefined && expected.sizeBytes !== sizeBytes) {
    throw new EngineError(
      "download-failed",
      `Downloading ${name} from ${remote.id} failed: the server's file has ${sizeBytes} bytes, but the repository lists ${expected.sizeBytes}. Check the network (a proxy may change files), then try again.`,
      { details: { file: name, sizeBytes, expectedBytes: expected.sizeBytes } },
    );
  }
  return storedFile(name, stat, expected);
}

/**
 * Drops the chunks of files that are others now. For a repair (`repairs`) a file that was whole once keeps its chunks,
 * whatever its ETag is now: its SHA-256 decides in the end.
 * @returns the draft, whose kept files keep what was known of them
 * @throws checksum-mismatch where a repair's source cannot have such a file
 */
export async function keepStoredFiles(
  store: ChunkStore,
  known: StoredModel | undefined,
  draft: StoredModel,
  repairs: boolean,
): Promise<StoredModel> {
  const current = new Map(draft.files.map((file) => [file.name, file]));
  for (const old of known?.files ?? []) {
    const file = current.get(old.name);
    if (repairs && old.sha256 !== undefined) checkSameFile(old, file, draft.id);
    else if (file === undefined || !isKept(old, file)) {
      await store.deleteFile(draft.id, old.name);
      continue;
    }
    if (file !== undefined) current.set(old.name, inherited(old, file));
  }
  return { ...draft, files: draft.files.map((file) => current.get(file.name) ?? file) };
}

/**
 * Where nothing is left to compare, chunks are kept if they were fetched from a server that did vouch for its file (it
 * hides its ETag now); chunks for which nothing ever vouched may be another version's, and mixing two is worse than
 * fetching them again.
 */
function isKept(old: StoredFile, now: StoredFile): boolean {
  const match = compareVersions(old, now);
  return match === "same" || (match === "unknown" && isVouched(old));
}

/** The file as the source describes it now; what it leaves out stays as it was known. */
function inherited(old: StoredFile, now: StoredFile): StoredFile {
  const lastModified = now.lastModified ?? old.lastModified;
  return {
    ...now,
    etag: now.etag ?? old.etag,
    ...(lastModified !== undefined && { lastModified }),
    ...(old.sha256 !== undefined && { sha256: old.sha256 }),
  };
}

function checkSameFile(old: StoredFile, now: StoredFile | undefined, id: string): void {
  const published = now?.expectedSha256;
  if (now?.sizeBytes === old.sizeBytes && (published === undefined || published === old.sha256)) return;
  throw new EngineError(
    "checksum-mismatch",
    `${id} cannot be repaired: ${old.name} is another file at its source now (${now?.sizeBytes ?? "no"} bytes, stored were ${old.sizeBytes}). Delete the model and download it again.`,
    { details: { file: old.name } },
  );
}
