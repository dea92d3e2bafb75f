// Reads a tokenizer as loading a model does, in a worker, and posts how long it took and what it makes of a text.
import { readTokenizer } from "../../src/runtime/read-tokenizer.ts";
import { createHttpFiles } from "../../src/weights/http-files.ts";

const baseUrl = new URL(location.href).searchParams.get("files") ?? "";
const files = createHttpFiles({ baseUrl });

async function timed<T>(run: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now();
  const value = await run();
  return { value, ms: performance.now() - started };
}

const fetching = await timed(() => files.readText("tokenizer.json"));
const loading = await timed(() => readTokenizer(files, undefined));
const text = "Tokens: ünïcödé, 汉字, 💖, <|start|> and 1234567 numbers.\n";
const ids = loading.value?.encode(text) ?? [];
globalThis.postMessage({
  loadMs: loading.ms,
  fetchMs: fetching.ms,
  vocabSize: loading.value?.vocabSize,
  text,
  ids,
});
