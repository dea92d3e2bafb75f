import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import type { Fault } from "../scripts/lib/static-server.mjs";
import type * as Library from "../src/index.ts";
import { expectClose } from "../src/testing/compare.ts";
import { sha256Hex } from "../src/testing/memory-remote.ts";
import { readReference, repositoryPath } from "../src/testing/reference.ts";
import { expect, test } from "./support/test.ts";

// The built npm library in a page that is not ours: what an embedder gets.

/** Runs in the page. */
declare global {
  var library: typeof Library;
  var engine: Library.WorkerEngine;
}

const mounts = { "/lib/": repositoryPath("dist/lib"), "/fixtures/": repositoryPath("fixtures") };
const root = repositoryPath("e2e/harness");

async function importLibrary(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.evaluate(async () => {
    const address = "/lib/index.js";
    globalThis.library = (await import(address)) as typeof Library;
  });
}

/** Logits of a prompt in the page's worker, as plain numbers. */
function logits(page: Page, tokens: readonly number[], path: "prefill" | "decode"): Promise<number[]> {
  return page.evaluate(async ([tokens, path]) => [...(await engine.logits(tokens, path))], [
    tokens,
    path,
  ] as const);
}

function greedy(page: Page, tokens: readonly number[], maxNewTokens: number): Promise<number[]> {
  return page.evaluate(
    async ([tokens, maxNewTokens]) => {
      const made: number[] = [];
      const options = { maxNewTokens, temperature: 0, stopTokens: [] };
      for await (const token of engine.generate(tokens, options)) made.push(token);
      return made;
    },
    [tokens, maxNewTokens] as const,
  );
}

for (const name of ["tiny-mxfp4", "tiny-sharded", "tiny-bf16-experts"]) {
  test(`${name} in the worker agrees with transformers: logits of both paths, greedy continuations`, async ({
    serve,
    visit,
  }) => {
    const server = await serve({ root, mounts });
    const { page } = await visit();
    await importLibrary(page, server.url);
    await page.evaluate(async (baseUrl) => {
      globalThis.engine = library.createWorkerEngine();
      await engine.load({ baseUrl }, { contextLength: 256 });
    }, `/fixtures/${name}/`);
    const prompts = readReference(repositoryPath(`fixtures/${name}`));
    expect(prompts.length).toBeGreaterThan(0);
    for (const [index, prompt] of prompts.entries()) {
      for (const path of ["prefill", "decode"] as const) {
        const got = await logits(page, prompt.tokens, path);
        expectClose(got, prompt.logits, { absolute: 1e-3 }, `${name} prompt ${index} ${path}`);
      }
      expect(await greedy(page, prompt.tokens, prompt.greedy.length)).toEqual(prompt.greedy);
    }
  });
}

test("an embedder that terminates the worker gets worker-died, a fault in it is reported, errors keep their code", async ({
  serve,
  visit,
}) => {
  const server = await serve({ root, mounts });
  const { page } = await visit();
  await importLibrary(page, server.url);

  const missing = await page.evaluate(async () => {
    const worker = new Worker("/lib/worker.js", { type: "module" });
    const faults: string[] = [];
    const onFault = (error: Library.EngineError) => faults.push(`${error.code}: ${error.message}`);
    globalThis.engine = library.createWorkerEngine({ worker, onFault });
    Object.assign(globalThis, { worker, faults });
    const error = await engine.load({ baseUrl: "/fixtures/nothing/" }).catch((reason: unknown) => reason);
    return library.isEngineError(error) ? { code: error.code, details: error.details } : String(error);
  });
  expect(missing).toMatchObject({ code: "checkpoint-invalid", details: { file: "config.json" } });

  await page.workers()[0]?.evaluate(() => void Promise.reject(new Error("a stray rejection")));
  const faults = () => page.evaluate(() => Reflect.get(globalThis, "faults") as string[]);
  await expect.poll(faults).toEqual(["internal: a stray rejection"]);

  const died = await page.evaluate(async () => {
    const pending = engine.load({ baseUrl: "/fixtures/tiny-mxfp4/" }).catch((reason: unknown) => reason);
    const startedMs = performance.now();
    (Reflect.get(globalThis, "worker") as Worker).terminate();
    const error = await pending;
    const code = library.isEngineError(error) ? error.code : String(error);
    return { code, afterMs: performance.now() - startedMs };
  });
  expect(died.code).toBe("worker-died");
  expect(died.afterMs, "the Web Lock tells, long before the heartbeat").toBeLessThan(10_000);
});

const name = "model.safetensors";
const wholeFile = sha256Hex(readFileSync(repositoryPath(`fixtures/tiny-mxfp4/${name}`)));
const isHashWorker = (path: string) => path === "/lib/hash-worker.js";
const hashWorkers: readonly (readonly [string, Fault | undefined])[] = [
  ["in a worker of its own", undefined],
  ["in place where its script is missing", { status: 404 }],
  [
    "in place where its script may not run WebAssembly",
    { headers: { "Content-Security-Policy": "default-src 'self'" } },
  ],
];
for (const [how, fault] of hashWorkers) {
  test(`a downloaded file is hashed ${how}`, async ({ serve, visit }) => {
    const onRequest = ({ path }: { readonly path: string }) => (isHashWorker(path) ? fault : undefined);
    const server = await serve({ root, mounts, onRequest });
    const { page } = await visit();
    await importLibrary(page, server.url);
    const files = await page.evaluate(async () => {
      globalThis.engine = library.createWorkerEngine();
      await engine.download({ baseUrl: "/fixtures/tiny-mxfp4/" });
      const [model] = await engine.models();
      return (await engine.verifyModel(model?.id ?? "")).files;
    });
    expect(files).toMatchObject([{ name, ok: true, sha256: wholeFile }]);
    expect(server.requests.filter(({ path }) => isHashWorker(path))).toHaveLength(1);
  });
}

test("a download whose hash worker does not come is aborted at once", async ({ serve, visit }) => {
  const onRequest = ({ path }: { readonly path: string }) =>
    isHashWorker(path) ? { stallAfterBytes: 100 } : undefined;
  const server = await serve({ root, mounts, onRequest });
  const { page } = await visit();
  await importLibrary(page, server.url);
  const code = page.evaluate(async () => {
    globalThis.engine = library.createWorkerEngine();
    const abort = new AbortController();
    Object.assign(globalThis, { abort });
    const { signal } = abort;
    const error = await engine
      .download({ baseUrl: "/fixtures/tiny-mxfp4/" }, { signal })
      .catch((e: unknown) => e);
    return library.isEngineError(error) ? error.code : String(error);
  });
  await expect.poll(() => server.requests.some(({ path }) => isHashWorker(path))).toBe(true);
  const startedMs = performance.now();
  await page.evaluate(() => (Reflect.get(globalThis, "abort") as AbortController).abort());
  expect(await code).toBe("aborted");
  expect(performance.now() - startedMs).toBeLessThan(5000);
});

const isReadWorker = (path: string) => path === "/lib/read-worker.js";
for (const store of ["indexeddb", "opfs"] as const) {
  for (const fault of [undefined, { status: 404 }]) {
    const how = fault === undefined ? "by a worker" : "in place where the worker's script is missing";
    test(`${store}: a stored file is read and hashed ${how}`, async ({ serve, visit }) => {
      const onRequest = ({ path }: { readonly path: string }) => (isReadWorker(path) ? fault : undefined);
      const server = await serve({ root, mounts, onRequest });
      const { page } = await visit();
      await importLibrary(page, server.url);
      const files = await page.evaluate(async (store) => {
        globalThis.engine = library.createWorkerEngine();
        await engine.download({ baseUrl: "/fixtures/tiny-mxfp4/" }, { store });
        const [model] = await engine.models();
        return (await engine.verifyModel(model?.id ?? "")).files;
      }, store);
      expect(files).toMatchObject([{ name, ok: true, badChunks: [], sha256: wholeFile }]);
      expect(server.requests.filter(({ path }) => isReadWorker(path))).not.toEqual([]);
    });
  }
}
