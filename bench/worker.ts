// The page's benchmark: the same code as `npm run bench`, in a dedicated worker.
import { benchModel } from "../src/bench/bench-model.ts";
import type { BenchReport } from "../src/bench/report.ts";
import { createShapeFiles } from "../src/bench/shapes.ts";
import { isEngineError, toWireError } from "../src/errors.ts";
import { type Gpu, openGpu } from "../src/gpu/gpu.ts";
import { createHttpFiles } from "../src/weights/http-files.ts";
import { createRememberedSettings } from "../src/weights/remembered-settings.ts";
import type { CheckpointFiles } from "../src/weights/types.ts";
import type { FromWorker, PageRequest, ToWorker } from "./protocol.ts";

const stopping = new AbortController();
const send = (message: FromWorker) => self.postMessage(message);

self.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "stop") return stopping.abort();
  run(data.request).then(
    (report) => send({ type: "report", report }),
    (error: unknown) => send({ type: "failed", error: toWireError(error) }),
  );
});

async function run(request: PageRequest): Promise<BenchReport> {
  const gpu = await openGpu(navigator.gpu);
  try {
    return await withFewerLayers(request, (files) => bench(gpu, files, request));
  } finally {
    gpu.destroy();
  }
}

/** Half the layers, and half again, where the adapter has no room: told, and the report names how many they were. */
async function withFewerLayers<T>(
  { shape, layers, nanoUrl }: PageRequest,
  use: (files: CheckpointFiles) => Promise<T>,
): Promise<T> {
  if (shape === "nano") return use(createHttpFiles({ baseUrl: nanoUrl }));
  for (let count = layers; ; count = Math.floor(count / 2)) {
    try {
      return await use(createShapeFiles(shape, count));
    } catch (error) {
      if (!isEngineError(error, "out-of-memory") || count < 2) throw error;
      const sentence = `There is no room for ${count} layers: trying ${Math.floor(count / 2)}.`;
      send({ type: "progress", sentence });
    }
  }
}

function bench(gpu: Gpu, files: CheckpointFiles, request: PageRequest): Promise<BenchReport> {
  const { dense, promptTokens, decodeTokens, depth, runs } = request;
  const contextLength = Math.max(512, promptTokens + 64, decodeTokens + 64, depth + 128);
  return benchModel(gpu, {
    files,
    load: { contextLength, dense, settings: createRememberedSettings() },
    options: {
      ...{ promptTokens: [promptTokens], decodeTokens, runs, kernels: true, signal: stopping.signal },
      ...(depth > 0 && { depth }),
      onProgress: (sentence) => send({ type: "progress", sentence }),
    },
  });
}
