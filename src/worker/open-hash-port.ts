import type { HashPort } from "../weights/hashing/protocol.ts";
import { workerPort } from "./worker-port.ts";

/** Opens a hash worker beside the engine's. Its script is fetched now, when a download has its first chunk. */
export function openHashPort(): HashPort {
  // This exact expression is what bundlers look for.
  const worker = new Worker(new URL("./hash-worker.ts", import.meta.url), {
    type: "module",
    name: "gpt-oss-webgpu hash",
  });
  return workerPort(worker);
}
