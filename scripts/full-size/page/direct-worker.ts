// What the proof compares the library with: the same model straight from the server, and reading and uploading alone.
import { measureRead, measureUpload, type Rate } from "../../../src/bench/load-rates.ts";
import { openGpu } from "../../../src/gpu/gpu.ts";
import { createEngine } from "../../../src/runtime/engine.ts";
import type { EngineInfo } from "../../../src/runtime/types.ts";
import { createHttpFiles } from "../../../src/weights/http-files.ts";
import { createIndexedDbStore } from "../../../src/weights/indexeddb-store.ts";
import { createOpfsStore } from "../../../src/weights/opfs/opfs-store.ts";
import type { ReadReply, ReadRequest } from "../../../src/weights/reading/protocol.ts";
import { createCachedFiles } from "../../../src/weights/stored-files.ts";
import { numReaders } from "../../../src/worker/open-read-port.ts";
import { workerPort } from "../../../src/worker/worker-port.ts";

/** The library's own script. */
const readWorker = "/lib/read-worker.js";

export type DirectRequest =
  | {
      readonly kind: "answer";
      readonly baseUrl: string;
      readonly contextLength: number;
      readonly prompt: readonly number[];
      readonly maxNewTokens: number;
    }
  | { readonly kind: "upload"; readonly way: "staging" | "write-buffer"; readonly totalBytes: number }
  /** Reads a stored model and does nothing with it. */
  | {
      readonly kind: "read";
      readonly store: "indexeddb" | "opfs";
      readonly verify: "none" | "sampled" | "full";
      /** Reading workers; undefined: as many as the library takes here. */
      readonly numWorkers: number | undefined;
    };

export interface DirectAnswer {
  readonly error?: string;
  readonly rate?: Rate;
  readonly info?: EngineInfo;
  readonly tokens?: number[];
  readonly logits?: Float32Array;
}

async function answer(request: DirectRequest): Promise<DirectAnswer> {
  switch (request.kind) {
    case "answer": {
      const { baseUrl, contextLength, prompt, maxNewTokens } = request;
      const engine = await createEngine(navigator.gpu);
      const info = await engine.load(createHttpFiles({ baseUrl }), { contextLength });
      const tokens: number[] = [];
      const options = { maxNewTokens, temperature: 0, stopTokens: [] };
      for await (const token of engine.generate(prompt, options)) tokens.push(token);
      const logits = await engine.logits(prompt, "prefill");
      const plain = { ...info, gpuBytes: info.gpuBytes };
      engine.dispose();
      return { info: plain, tokens, logits };
    }
    case "upload": {
      const gpu = await openGpu(navigator.gpu);
      const rate = await measureUpload(gpu, request.way, request.totalBytes);
      gpu.destroy();
      return { rate };
    }
    case "read": {
      const numWorkers = request.numWorkers ?? numReaders(navigator);
      const openPort = () => workerPort<ReadRequest, ReadReply>(new Worker(readWorker, { type: "module" }));
      const readers = numWorkers === 0 ? undefined : { openPort, numWorkers };
      const store =
        request.store === "opfs"
          ? createOpfsStore(undefined, { readers })
          : createIndexedDbStore(undefined, { readers });
      const [model] = await store.listModels();
      if (model === undefined) throw new Error(`nothing is stored in ${request.store}`);
      const files = createCachedFiles({ store, model, verify: request.verify });
      const rate = await measureRead(
        files,
        model.files.map(({ name }) => name),
        { freesMappedMemory: false },
      );
      await files.close?.();
      return { rate };
    }
    default:
      return request satisfies never;
  }
}

globalThis.onmessage = ({ data }: MessageEvent<DirectRequest>) => {
  answer(data).then(
    (value) => globalThis.postMessage(value),
    (error: unknown) =>
      globalThis.postMessage({
        error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      }),
  );
};
