import { type Endpoint, proxy, wrap } from "comlink";
import { installErrorHandler } from "./errors-over-comlink.ts";
import type { Deliver, HostApi } from "./protocol.ts";

/**
 * The host at the other end of `endpoint`. Its promises stay pending for ever if the other end dies: whoever calls
 * must watch for that and race them.
 */
export function connect(endpoint: Endpoint): HostApi {
  installErrorHandler();
  const remote = wrap<HostApi>(endpoint) as unknown as HostApi;
  const taking = <T>(deliver: Deliver<T>): Deliver<T> => proxy((batch: readonly T[]) => deliver(batch));
  return {
    hello: (onFault, version) =>
      remote.hello(
        proxy((error) => onFault(error)),
        version,
      ),
    ping: () => remote.ping(),
    load: (call, source, options, deliver) => remote.load(call, source, options, taking(deliver)),
    chat: (call, request, deliver) => remote.chat(call, request, taking(deliver)),
    generate: (call, prompt, options, deliver) => remote.generate(call, prompt, options, taking(deliver)),
    logits: (call, tokens, path) => remote.logits(call, tokens, path),
    abort: (call) => remote.abort(call),
    unload: () => remote.unload(),
    capabilities: (subject, options) => remote.capabilities(subject, options),
    download: (call, source, options, deliver) => remote.download(call, source, options, taking(deliver)),
    pauseDownload: () => remote.pauseDownload(),
    resumeDownload: () => remote.resumeDownload(),
    cancelDownload: (deletePartial) => remote.cancelDownload(deletePartial),
    models: () => remote.models(),
    storeFaults: () => remote.storeFaults(),
    verifyModel: (call, id, deliver) => remote.verifyModel(call, id, taking(deliver)),
    repairModel: (call, id, source, deliver) => remote.repairModel(call, id, source, taking(deliver)),
    exportModel: (call, id, folder, deliver) => remote.exportModel(call, id, folder, taking(deliver)),
    deleteModel: (id) => remote.deleteModel(id),
  };
}
