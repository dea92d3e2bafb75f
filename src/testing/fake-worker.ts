import type { WorkerLike } from "../client/worker-like.ts";
import { createHost, type Host } from "../worker/host.ts";
import { serve } from "../worker/serve.ts";
import type { HostServices } from "../worker/services.ts";

/** A host behind a real message channel, so that everything is cloned and ordered as between page and worker. */
export interface FakeWorker {
  readonly worker: WorkerLike;
  readonly host: Host;
  /** Ends without an event, as `terminate()` and `self.close()` do. */
  die(): void;
  /** Fires the worker's error event. */
  fail(message: string): void;
  readonly wasTerminated: () => boolean;
}

/** Starts a host on one end of a channel; the other end looks like a Worker. */
export function createFakeWorker(services: HostServices): FakeWorker {
  const { port1, port2 } = new MessageChannel();
  const host = createHost(services);
  serve(host.api, port2);
  port1.start();
  const events = new EventTarget();
  let wasTerminated = false;
  const target = (type: string): EventTarget => (type === "message" ? port1 : events);
  return {
    host,
    worker: {
      postMessage: (message: unknown, transfer?: Transferable[] | StructuredSerializeOptions) =>
        port1.postMessage(message, Array.isArray(transfer) ? transfer : []),
      addEventListener: (type: string, listener: EventListenerOrEventListenerObject) =>
        target(type).addEventListener(type, listener),
      removeEventListener: (type: string, listener: EventListenerOrEventListenerObject) =>
        target(type).removeEventListener(type, listener),
      terminate: () => {
        wasTerminated = true;
        port2.close();
      },
    },
    die: () => port2.close(),
    fail: (message) => events.dispatchEvent(Object.assign(new Event("error"), { message })),
    wasTerminated: () => wasTerminated,
  };
}
