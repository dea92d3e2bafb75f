import type { WorkerPort } from "../weights/worker-line.ts";

/** The line to a worker that was just made. */
export function workerPort<Request, Reply>(worker: Worker): WorkerPort<Request, Reply> {
  return {
    post: (request, transfer = []) => worker.postMessage(request, [...transfer]),
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
