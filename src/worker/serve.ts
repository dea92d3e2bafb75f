import { type Endpoint, expose, releaseProxy, transfer, transferHandlers } from "comlink";
import { toEngineError } from "../errors.ts";
import { installErrorHandler } from "./errors-over-comlink.ts";
import type { HostApi } from "./protocol.ts";

/** Answers a client at the other end of `endpoint` with `api`. */
export function serve(api: HostApi, endpoint: Endpoint): void {
  installErrorHandler();
  const served: HostApi = {
    hello: (onFault, version) => asEngineError(api.hello(onFault, version)),
    ping: () => api.ping(),
    load: (call, source, options, deliver) => releasing(deliver, api.load(call, source, options, deliver)),
    chat: (call, request, deliver) => releasing(deliver, api.chat(call, request, deliver)),
    generate: (call, prompt, options, deliver) =>
      releasing(deliver, api.generate(call, prompt, options, deliver)),
    logits: async (call, tokens, path) => {
      const logits = await asEngineError(api.logits(call, tokens, path));
      return transfer(logits, [logits.buffer as ArrayBuffer]);
    },
    abort: (call) => asEngineError(api.abort(call)),
    unload: () => asEngineError(api.unload()),
    capabilities: (subject, options) => asEngineError(api.capabilities(subject, options)),
    download: (call, source, options, deliver) =>
      releasing(deliver, api.download(call, source, options, deliver)),
    pauseDownload: () => asEngineError(api.pauseDownload()),
    resumeDownload: () => asEngineError(api.resumeDownload()),
    cancelDownload: (deletePartial) => asEngineError(api.cancelDownload(deletePartial)),
    models: () => asEngineError(api.models()),
    storeFaults: () => asEngineError(api.storeFaults()),
    verifyModel: (call, id, deliver) => releasing(deliver, api.verifyModel(call, id, deliver)),
    repairModel: (call, id, source, deliver) =>
      releasing(deliver, api.repairModel(call, id, source, deliver)),
    exportModel: (call, id, folder, deliver) =>
      releasing(deliver, api.exportModel(call, id, folder, deliver)),
    deleteModel: (id) => asEngineError(api.deleteModel(id)),
  };
  expose(served, readable(endpoint));
}

/** Keeps messages away that comlink would throw on: that would count as a fault of the request that runs. */
function readable(endpoint: Endpoint): Endpoint {
  return {
    postMessage: (message, transferred) => endpoint.postMessage(message, transferred),
    addEventListener: (type, listener) =>
      endpoint.addEventListener(type, (event) => {
        if (!("data" in event) || !isCall(event.data)) return;
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      }),
    // comlink calls it where a client lets go of the host, which this one never does: it ends the worker.
    removeEventListener: () => {},
    start: () => endpoint.start?.(),
  };
}

/** A call in comlink's form whose arguments can be read here. */
function isCall(data: unknown): boolean {
  if (!isRecord(data) || data.type !== "APPLY" || !Array.isArray(data.path)) return false;
  const values: unknown = data.argumentList;
  return Array.isArray(values) && values.every(isReadable);
}

function isReadable(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return value.type === "RAW" || (typeof value.name === "string" && transferHandlers.has(value.name));
}

function isRecord(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === "object" && data !== null;
}

/** What is thrown on the way becomes an EngineError, so that its code crosses. */
async function asEngineError<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw toEngineError(error);
  }
}

/** Closes the message port behind a callback once the request has ended: comlink would leave that to the collector. */
async function releasing<T>(callback: object, result: Promise<T>): Promise<T> {
  try {
    return await asEngineError(result);
  } finally {
    (callback as { [releaseProxy]?: () => void })[releaseProxy]?.();
  }
}
