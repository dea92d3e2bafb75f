// What the proof does in the page: downloads, checks, loads and decodes through the built library.
import type * as Library from "../../../src/index.ts";
import type { DirectAnswer, DirectRequest } from "./direct-worker.ts";

/** Where the model lies, and how it is kept. */
export interface TripModel {
  readonly baseUrl: string;
  readonly chunkBytes?: number;
  readonly store: "indexeddb" | "opfs";
  readonly contextLength: number;
}

let engine: Library.WorkerEngine | undefined;
let progress: Library.ByteProgress | undefined;
let firstBytes: number | undefined;

async function current(): Promise<Library.WorkerEngine> {
  const address = "/lib/index.js";
  const library = (await import(/* @vite-ignore */ address)) as typeof Library;
  engine ??= library.createWorkerEngine();
  return engine;
}

const note = (now: Library.ByteProgress) => {
  firstBytes ??= now.loadedBytes;
  progress = now;
};

const source = ({ baseUrl, chunkBytes }: TripModel) => ({
  baseUrl,
  ...(chunkBytes !== undefined && { chunkBytes }),
});

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  progress = undefined;
  firstBytes = undefined;
  const started = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - started) / 1000 };
}

const base64 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([bytes]));
  });
  return url.slice(url.indexOf(",") + 1);
};

/** Called by the driver by name. */
export const trip = {
  progress: () => ({ ...progress }),
  models: async () => (await current()).models(),
  /** Bytes stored before it began, as the first progress says, and how long it took. */
  async download(model: TripModel) {
    const { store } = model;
    const loading = await current();
    const { seconds } = await timed(() => loading.download(source(model), { store, onProgress: note }));
    return { seconds, firstBytes };
  },
  async verify(id: string) {
    const loading = await current();
    const { value, seconds } = await timed(() => loading.verifyModel(id, { onProgress: note }));
    return { ok: value.ok, seconds };
  },
  async load(model: TripModel) {
    const { store, contextLength } = model;
    const loading = await current();
    const { value, seconds } = await timed(() =>
      loading.load(source(model), { store, contextLength, onProgress: note }),
    );
    return { info: value, seconds, sinceNavigationSeconds: performance.now() / 1000 };
  },
  /** Greedy tokens. The first token's time counts from the navigation. */
  async answer(prompt: readonly number[], maxNewTokens: number) {
    const loading = await current();
    const tokens: number[] = [];
    let firstTokenSeconds = 0;
    const generation = loading.generate(prompt, { maxNewTokens, temperature: 0, stopTokens: [] });
    for await (const token of generation) {
      if (tokens.length === 0) firstTokenSeconds = performance.now() / 1000;
      tokens.push(token);
    }
    return { tokens, firstTokenSeconds, stats: (await generation.result).stats };
  },
  /** float32 logits [T, V] in base64. */
  async logits(prompt: readonly number[]) {
    const logits = await (await current()).logits(prompt, "prefill");
    return base64(new Uint8Array(logits.buffer as ArrayBuffer, logits.byteOffset, logits.byteLength));
  },
  async remove(id: string) {
    await (await current()).deleteModel(id);
  },
  dispose() {
    engine?.dispose();
    engine = undefined;
  },
  /** Work that is not the library's: see direct-worker.ts. */
  async direct(request: DirectRequest) {
    const worker = new Worker("/direct-worker.js", { type: "module" });
    try {
      const answer = await new Promise<DirectAnswer>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(request);
      });
      if (answer.error !== undefined) throw new Error(answer.error);
      const { logits, ...rest } = answer;
      if (logits === undefined) return { ...rest, logits: undefined };
      const bytes = new Uint8Array(logits.buffer as ArrayBuffer, logits.byteOffset, logits.byteLength);
      return { ...rest, logits: await base64(bytes) };
    } finally {
      worker.terminate();
    }
  },
};

Object.assign(globalThis, { trip });
