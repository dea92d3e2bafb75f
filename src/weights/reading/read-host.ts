import { sha256 } from "../chunks.ts";
import { openSyncFiles, type SyncFiles } from "../opfs/sync-files.ts";
import { createBlobReader, type ReadBlob } from "../read-blob.ts";
import type { FilePart, ReadReply, ReadRequest } from "./protocol.ts";

/** The work of a reading worker: takes requests, and answers each in its turn. */
export function createReadHost(
  reply: (reply: ReadReply, transfer: readonly ArrayBuffer[]) => void,
  readBlob: ReadBlob = createBlobReader(),
): (request: ReadRequest) => void {
  let work: Promise<void> = Promise.resolve();
  let files: SyncFiles | undefined;

  async function fill(target: Uint8Array, from: FilePart | Blob): Promise<boolean> {
    if (from instanceof Blob) {
      await readBlob(from, 0, target);
      return true;
    }
    const numBytes = await files?.use(from.name, "read-only", (file) =>
      file.read(target, { at: from.startBytes }),
    );
    return numBytes === target.byteLength;
  }

  async function answer(request: ReadRequest): Promise<ReadReply> {
    switch (request.kind) {
      case "folder":
        files = openSyncFiles(request.folder, 0);
        return {};
      case "close":
        if (request.name === undefined) await files?.close();
        else await files?.closeFile(request.name);
        return {};
      case "read": {
        const { memory, sizeBytes, from, wantsDigest } = request;
        const target = new Uint8Array(memory, 0, sizeBytes);
        // What is wrong with the bytes is found by who reads them in the worker's stead.
        const isWhole = await fill(target, from).catch(() => false);
        return { memory, isWhole, ...(isWhole && wantsDigest && { digest: await sha256(target) }) };
      }
      default:
        return request satisfies never;
    }
  }

  return (request) => {
    work = work
      .then(() => answer(request))
      .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }))
      .then((result: ReadReply) => reply(result, result.memory === undefined ? [] : [result.memory]));
  };
}
