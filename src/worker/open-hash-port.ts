import type { HashPort } from "../weights/hashing/protocol.ts";

/** Opens a hash worker beside the engine's. Its script is fetched now, when a download has its first chunk. */
export function openHashPort(): HashPort {
  // This exact expression is what bundlers look for.
  const worker = new Worker(new URL("./hash-worker.ts", import.meta.url), {
    type: "module",
    name: "gpt-oss-webgpu hash",
  });
  return {
    post: (request, transfer) => worker.postMessage(request, [...transfer]),
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
