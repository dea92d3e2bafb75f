import { EngineError, toEngineError, toWireError, type WireError } from "../errors.ts";
import type { Engine } from "../runtime/types.ts";
import { delivering } from "./delivering.ts";
import { createModelCalls } from "./model-calls.ts";
import { type HostApi, protocolVersion } from "./protocol.ts";
import { reportCapabilities } from "./report-capabilities.ts";
import { createRequests } from "./requests.ts";
import type { HostServices } from "./services.ts";

/** The host and the way failures that nobody awaited reach the client. */
export interface Host {
  readonly api: HostApi;
  /** Reports a failure outside any request, such as an unhandled rejection. */
  reportFault(error: unknown): void;
}

/** The worker's side of the engine: one engine, one request at a time, progress and answers in batches. */
export function createHost(services: HostServices): Host {
  const requests = createRequests();
  const faults: WireError[] = [];
  let onFault: ((error: WireError) => void) | undefined;
  let engine: Engine | undefined;

  function tellFault(fault: WireError): void {
    if (onFault === undefined) faults.push(fault);
    else onFault(fault);
  }

  const openEngine = async (): Promise<Engine> => {
    engine ??= await services.createEngine();
    return engine;
  };
  const models = createModelCalls({ services, requests, openEngine, reportFault: tellFault });

  function loadedEngine(what: string): Engine {
    if (engine?.info !== undefined) return engine;
    throw new EngineError("not-loaded", `Cannot ${what}: no model is loaded. Call load() first.`);
  }

  const api: HostApi = {
    hello: async (listener, version) => {
      if (version !== protocolVersion) throw otherVersion(version);
      onFault = listener;
      for (const fault of faults.splice(0)) listener(fault);
      return services.holdLifeLock();
    },
    ping: async () => {},
    ...models.calls,
    chat: (call, request, deliver) =>
      requests.run(call, "chat", async (signal) => {
        const events = loadedEngine("chat").chat({ ...request, signal });
        await delivering(deliver, async (push) => {
          for await (const event of events) push(event);
        });
      }),
    generate: (call, prompt, options, deliver) =>
      requests.run(call, "generate", async (signal) => {
        const generation = loadedEngine("generate").generate(prompt, { ...options, signal });
        generation.result.catch(() => {}); // the iteration throws the same
        return delivering(deliver, async (push) => {
          for await (const token of generation) push(token);
          return generation.result;
        });
      }),
    logits: (call, tokens, path) =>
      requests.run(call, "compute logits", async (signal) =>
        loadedEngine("compute logits").logits(tokens, path, signal),
      ),
    abort: async (call) => requests.abort(call),
    unload: async () => {
      await requests.stop();
      await models.unload();
    },
    capabilities: (subject, options) => reportCapabilities(services, subject, options),
  };

  return {
    api,
    reportFault: (error) => {
      // It may have taken the running request's answer with it: that must not hang.
      requests.fail(toEngineError(error));
      tellFault(toWireError(error));
    },
  };
}

function otherVersion(version: unknown): EngineError {
  return new EngineError(
    "request-invalid",
    `The page speaks version ${String(version)} of the worker's protocol, the worker version ${protocolVersion}: their scripts are of two releases. Reload the page.`,
    { details: { expected: protocolVersion, got: typeof version === "number" ? version : null } },
  );
}
