import { EngineError } from "../errors.ts";
import { parseModelConfig } from "../format/config.ts";
import { manifestOfConfig } from "../format/manifest-of-config.ts";
import { publishedConfig } from "../format/published-shapes.ts";
import type { AdapterDescription } from "../gpu/adapter-description.ts";
import { defaultTuning } from "../kernels/tuning.ts";
import type { ChatEvent, Engine, EngineInfo, GenerateStats } from "../runtime/types.ts";
import { describeSource } from "../weights/source-types.ts";
import type { HostServices } from "../worker/services.ts";
import type { StoredModels } from "../worker/stored-models.ts";

export const fakeInfo: EngineInfo = {
  adapter: { vendor: "test", architecture: "", description: "a test", isSoftware: true },
  variant: "workgroup",
  mxfp4: "bits",
  tuning: { source: "table", sizes: defaultTuning },
  matrices: false,
  model: {
    id: "tiny",
    numLayers: 1,
    numExperts: 4,
    hiddenSize: 64,
    vocabSize: 10,
    expertFormat: "mxfp4",
    weightBytes: 100,
  },
  contextLength: 64,
  kvFormat: "f32",
  dense: "bf16",
  activations: "f32",
  gpuBytes: 200,
  load: {
    ...{ bytes: 100, seconds: 1, gigabytesPerSecond: 1e-7, readWaitSeconds: 0.5, uploadWaitSeconds: 0.25 },
    ...{ lanes: 1, way: "staging" },
  },
};

/** An adapter whose limits fit the published 20b. */
export const fakeAdapter: AdapterDescription = {
  vendor: "test",
  architecture: "",
  description: "a test",
  isSoftware: false,
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  features: ["subgroups"],
  limits: {
    maxBufferSize: 2 ** 32,
    maxStorageBufferBindingSize: 2 ** 31,
    maxComputeWorkgroupStorageSize: 32768,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupSizeX: 1024,
  },
};

export const fakeStats: GenerateStats = {
  promptTokens: 3,
  newTokens: 2,
  timeToFirstTokenMs: 1,
  prefillTokensPerSecond: 3,
  decodeTokensPerSecond: 2,
};

/** Resolves when the signal fires: what an engine waits for between tokens. */
export function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve());
  });
}

/** An engine that answers by script; override what a test is about. */
export function createFakeEngine(overrides: Partial<Engine> = {}): Engine {
  let info: EngineInfo | undefined;
  return {
    get info() {
      return info;
    },
    checkFits: () => {},
    load: async (_files, options) => {
      options?.onProgress?.({ phase: "load", loadedBytes: 100, totalBytes: 100, file: "model.safetensors" });
      info = fakeInfo;
      return fakeInfo;
    },
    async *chat(): AsyncGenerator<ChatEvent> {
      yield { type: "reasoning", text: "So." };
      yield { type: "content", text: "42" };
      yield { type: "done", finishReason: "stop", stats: fakeStats };
    },
    generate: () => {
      throw new EngineError("internal", "not scripted");
    },
    logits: async (tokens) => Float32Array.from(tokens),
    unload: () => {
      info = undefined;
    },
    dispose: () => {},
    ...overrides,
  };
}

/** Surroundings of a host with this engine and an empty store. */
export function fakeServices(engine: Engine, overrides: Partial<HostServices> = {}): HostServices {
  return {
    createEngine: async () => engine,
    openModel: async (source, { onProgress, onLead }) => {
      const id = source.id ?? describeSource(source);
      onLead?.(id);
      onProgress({ phase: "download", loadedBytes: 50, totalBytes: 100, file: "model.safetensors" });
      onProgress({ phase: "download", loadedBytes: 100, totalBytes: 100, file: "model.safetensors" });
      const files = {
        id,
        readText: async () => undefined,
        sizeBytes: async () => 0,
        read: async () => new Uint8Array(),
      };
      return { id, files, release: async () => {} };
    },
    readManifest: async () => manifestOfConfig(parseModelConfig(publishedConfig("20b", 1))),
    describeAdapter: async () => fakeAdapter,
    storageBytes: async () => undefined,
    stored: fakeStoredModels(),
    holdLifeLock: async () => undefined,
    ...overrides,
  };
}

/** A storage without models. */
export function fakeStoredModels(overrides: Partial<StoredModels> = {}): StoredModels {
  const report = { ok: true, files: [], badTexts: [] };
  return {
    list: async () => [],
    faults: async () => [],
    remove: async () => {},
    removePartial: async () => {},
    verify: async (id) => ({ ...report, id }),
    repair: async (id) => ({ ...report, id }),
    export: async () => {},
    ...overrides,
  };
}
