import { createSHA256, type IHasher } from "hash-wasm";
import { EngineError } from "../errors.ts";

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
