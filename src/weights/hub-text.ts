import { EngineError } from "../errors.ts";
import { hexDigest } from "./chunks.ts";
import type { HubFile } from "./hub-api.ts";

/** What TextDecoder takes away from the start of a file. */
const byteOrderMark = Uint8Array.of(0xef, 0xbb, 0xbf);

/**
 * Checks a small file against the listing of its commit: its size, and its SHA-256 or the SHA-1 of its git object.
 * @throws checksum-mismatch
 */
export async function checkHubText(id: string, path: string, file: HubFile, text: string): Promise<void> {
  const bytes = withMark(new TextEncoder().encode(text), file.sizeBytes);
  const isSame =
    bytes.byteLength === file.sizeBytes &&
    (file.sha256 === undefined || file.sha256 === (await hexDigest("SHA-256", bytes))) &&
    (file.gitSha1 === undefined || file.gitSha1 === (await hexDigest("SHA-1", gitObject(bytes))));
  if (isSame) return;
  throw new EngineError(
    "checksum-mismatch",
    `${path} as downloaded (${bytes.byteLength} bytes) is not the file of ${id} (${file.sizeBytes} bytes): it was changed or cut short on the way. Try again; if it happens again, the server or a proxy alters files.`,
    { details: { file: path, source: id, sizeBytes: bytes.byteLength, expectedBytes: file.sizeBytes } },
  );
}

function withMark(bytes: Uint8Array<ArrayBuffer>, sizeBytes: number): Uint8Array<ArrayBuffer> {
  return bytes.byteLength + byteOrderMark.byteLength === sizeBytes ? concat(byteOrderMark, bytes) : bytes;
}

/** Git names a file by the digest of its kind, its length and its bytes. */
const gitObject = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat(new TextEncoder().encode(`blob ${bytes.byteLength}\0`), bytes);

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(first.byteLength + second.byteLength);
  joined.set(first);
  joined.set(second, first.byteLength);
  return joined;
}
