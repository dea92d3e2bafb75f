import type { ReadPort } from "../weights/reading/protocol.ts";
import { workerPort } from "./worker-port.ts";

/** Opens a reading worker beside the engine's. Its script is fetched now, when a stored model is read. */
export function openReadPort(): ReadPort {
  // This exact expression is what bundlers look for.
  const worker = new Worker(new URL("./read-worker.ts", import.meta.url), {
    type: "module",
    name: "gpt-oss-webgpu read",
  });
  return workerPort(worker);
}

/** Reading workers that a machine has cores for, beside the engine's worker and the browser's own threads. */
export const numReaders = ({ hardwareConcurrency = 2 }: Partial<Navigator>): number =>
  Math.max(1, Math.min(3, Math.floor(hardwareConcurrency / 2)));
