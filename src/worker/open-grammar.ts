import type { GrammarPort } from "../grammar/protocol.ts";

/** Opens a grammar worker beside the engine's. Its script is fetched now, at the first request that needs it. */
export function openGrammar(): GrammarPort {
  // This exact expression is what bundlers look for.
  const worker = new Worker(new URL("./grammar-worker.ts", import.meta.url), {
    type: "module",
    name: "gpt-oss-webgpu grammar",
  });
  return {
    post: (call) => worker.postMessage(call),
    onReply: (listener) => worker.addEventListener("message", ({ data }) => listener(data)),
    onDeath(listener) {
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        listener(event.message || "its script could not be loaded");
      });
      worker.addEventListener("messageerror", () => listener("a reply could not be read"));
    },
    close: () => worker.terminate(),
  };
}
