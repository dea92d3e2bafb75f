import { createSHA256, type IHasher } from "hash-wasm";
import { EngineError } from "../../errors.ts";
import { breathe } from "../breathe.ts";

/** The SHA-256 of a file that is fed in order, on this thread or another. */
export interface Sha256Stream {
  /**
   * Hashes the file's next bytes, whose memory is given away with them. Calls may queue up.
   * @returns the state after them, to go on from later
   */
  update(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /** The digest in hex. Nothing more can be asked of this stream. */
  digest(): Promise<string>;
}

/** A SHA-256 that takes its input in parts. @throws storage-failed where the page may not run WebAssembly */
export async function createSha256(): Promise<IHasher> {
  try {
    return await createSHA256();
  } catch (cause) {
    throw new EngineError(
      "storage-failed",
      "Files cannot be hashed: WebAssembly does not run here. Allow it in the page's Content-Security-Policy: script-src 'wasm-unsafe-eval'.",
      { cause },
    );
  }
}

/** Hashes on this thread, from a saved state on. @throws storage-failed; Error for the state of another build of hash-wasm */
export async function openLocalSha256(state: Uint8Array | undefined): Promise<Sha256Stream> {
  const hasher = await createSha256();
  startFrom(hasher, state);
  return {
    async update(bytes) {
      await breathe();
      hasher.update(bytes);
      return hasher.save();
    },
    digest: async () => hasher.digest("hex"),
  };
}

/** Begins anew, or goes on from a saved state. @throws Error for the state of another build of hash-wasm */
export function startFrom(hasher: IHasher, state: Uint8Array | undefined): void {
  hasher.init();
  if (state !== undefined) hasher.load(state);
}

/** Whether this build of hash-wasm can go on from a saved state. @throws storage-failed */
export async function canGoOnFrom(state: Uint8Array): Promise<boolean> {
  const hasher = await createSha256();
  try {
    startFrom(hasher, state);
    return true;
  } catch {
    return false;
  }
}
