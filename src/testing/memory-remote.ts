import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { EngineError } from "../errors.ts";
import type { RemoteFiles } from "../weights/types.ts";

/** A server's folder in memory: answers at once, counts what is fetched, and changes as a test wants. */
export interface MemoryRemote extends RemoteFiles {
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** Ranges fetched so far, `name start`. */
  readonly fetched: string[];
  /** Whether it sends an ETag, which is the content's SHA-256. Default true. */
  sendsEtags: boolean;
}

/** The fixture folder `name` as a remote; `published` makes it tell each file's SHA-256. */
export function memoryRemote(name: string, fileNames: readonly string[], published = false): MemoryRemote {
  const read = (file: string) => new Uint8Array(readFileSync(`fixtures/${name}/${file}`));
  const files = new Map(fileNames.map((file) => [file, read(file)]));
  const original = new Map(files);
  const fetched: string[] = [];
  const find = (file: string) => {
    const bytes = files.get(file);
    if (bytes === undefined) throw new EngineError("download-failed", `${file} is not there (404).`);
    return bytes;
  };
  const slice = async (file: string, startBytes: number, endBytes: number) =>
    find(file).slice(startBytes, endBytes);
  const remote: MemoryRemote = {
    id: `memory:${name}`,
    files,
    fetched,
    readText: async (file) => {
      const bytes = files.get(file);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
    sizeBytes: async (file) => find(file).byteLength,
    read: slice,
    sendsEtags: true,
    stat: async (file) => {
      const bytes = find(file);
      return { sizeBytes: bytes.byteLength, etag: remote.sendsEtags ? sha256Hex(bytes) : undefined };
    },
    async fetchRange(file, { startBytes, endBytes }, { onBytes, signal, pause } = {}) {
      await pause?.resumed(signal);
      fetched.push(`${file} ${startBytes}`);
      onBytes?.(endBytes - startBytes);
      return slice(file, startBytes, endBytes);
    },
    ...(published && {
      expected: async (file) => {
        const bytes = original.get(file);
        return bytes && { sizeBytes: bytes.byteLength, sha256: sha256Hex(bytes) };
      },
    }),
  };
  return remote;
}

/** SHA-256 in hex, by Node. */
export const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
