import type { GrammarPort } from "../grammar/protocol.ts";
import { workerPort } from "./worker-port.ts";

/** Opens a grammar worker beside the engine's. Its script is fetched now, at the first request that needs it. */
export function openGrammar(): GrammarPort {
  // This exact expression is what bundlers look for.
  const worker = new Worker(new URL("./grammar-worker.ts", import.meta.url), {
    type: "module",
    name: "gpt-oss-webgpu grammar",
  });
  return workerPort(worker);
}
