// How work on the storage ends where somebody ends it: tabs and workers that die, aborts without number.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { repositoryPath } from "../src/testing/reference.ts";
import { corruptChunk } from "./support/browser-store.ts";
import { askedRanges } from "./support/requests.ts";
import { type ShardedCheckpoint, serveSharded } from "./support/sharded-checkpoint.ts";
import { beginDownload, noGpuArgs, openTab, outcome, storageSite, verify } from "./support/storage-page.ts";
import { expect, test } from "./support/test.ts";

let checkpoint: ShardedCheckpoint;
test.describe.configure({ timeout: 90_000 });
test.beforeEach(async () => {
  checkpoint = await serveSharded(4);
});
test.afterEach(() => checkpoint.server.close());

const chunkBytes = 4 * 1024 * 1024;
const nano = "dist/page/models/gpt-oss-nano";

/** Begins to download the page's own model, four chunks in one file. */
async function beginNano(page: Page, baseUrl: string, store: "indexeddb" | "opfs"): Promise<void> {
  await page.evaluate(
    ([baseUrl, store, chunkBytes]) => {
      globalThis.downloadOutcome = undefined;
      engine.download({ baseUrl, chunkBytes }, { store }).then(
        () => {
          globalThis.downloadOutcome = "ready";
        },
        (error: unknown) => {
          globalThis.downloadOutcome = String(error);
        },
      );
    },
    [baseUrl, store, chunkBytes] as const,
  );
}

async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash");
  const devtools = await page.context().newCDPSession(page);
  void devtools.send("Page.crash").catch(() => {});
  await crashed;
  await page.close();
}

test("S3 a tab killed inside a file of several chunks: the next one goes on with what was hashed", async ({
  serve,
  visit,
}) => {
  let isSlow = true;
  const site = await serve({
    ...storageSite,
    mounts: { ...storageSite.mounts, "/nano/": repositoryPath(nano) },
    onRequest: ({ path, range }) =>
      // The first two chunks come at once, the others only after the kill.
      isSlow && path.endsWith(".safetensors") && !/^bytes=(0|4194304)-/.test(range ?? "")
        ? { bytesPerSecond: 50_000 }
        : undefined,
  });
  const baseUrl = `${site.url}nano/`;
  const weights = readFileSync(repositoryPath(`${nano}/model.safetensors`));
  const { context } = await visit({ args: noGpuArgs });
  for (const store of ["indexeddb", "opfs"] as const) {
    isSlow = true;
    const first = await openTab(context, site.url);
    await beginNano(first, baseUrl, store);
    const stored = () => first.evaluate(async () => (await engine.models())[0]?.storedBytes ?? 0);
    await expect.poll(stored).toBe(2 * chunkBytes);
    await first.waitForTimeout(300); // the hash is stored after the bytes
    await crash(first);

    isSlow = false;
    const second = await openTab(context, site.url);
    // What is hashed is not read again: a damage done meanwhile is found by the next check, and harms no other.
    if (store === "indexeddb") await corruptChunk(second, 1);
    const before = site.requests.length;
    await beginNano(second, baseUrl, store);
    await expect.poll(() => outcome(second)).toBe("ready");
    const chunks = askedRanges(site.requests.slice(before)).filter(({ end }) => end > 65_536);
    expect(chunks.map(({ start }) => start / chunkBytes).sort()).toEqual([2, 3]);
    const [model] = await second.evaluate(() => engine.models());
    expect(model?.files[0]?.sha256).toBe(createHash("sha256").update(weights).digest("hex"));
    const report = await verify(second, baseUrl);
    expect(report.files[0]?.badChunks, store).toEqual(store === "indexeddb" ? [1] : []);
    expect((await second.evaluate((id) => engine.repairModel(id), baseUrl)).ok).toBe(true);
    await second.evaluate((id) => engine.deleteModel(id), baseUrl);
    await second.close();
  }
});

test("a tab closed in verify, repair and delete leaves a whole model, or none", async ({ serve, visit }) => {
  const site = await serve(storageSite);
  const { context } = await visit({ args: noGpuArgs });
  const { url } = checkpoint.server;
  const page = await openTab(context, site.url);
  for (const store of ["opfs", "indexeddb"] as const) {
    await beginDownload(page, url, { store });
    await expect.poll(() => outcome(page)).toBe("ready");
    for (const work of ["verifyModel", "repairModel", "deleteModel"] as const) {
      const tab = await openTab(context, site.url);
      await tab.evaluate(([work, id]) => void engine[work](id).catch(() => {}), [work, url] as const);
      await tab.close();
    }
    await expect
      .poll(() =>
        page.evaluate((id) => engine.models().then((all) => all.every((m) => m.ready || m.id !== id)), url),
      )
      .toBe(true);
    await beginDownload(page, url, { store });
    await expect.poll(() => outcome(page)).toBe("ready");
    expect((await verify(page, url)).ok).toBe(true);
    await page.evaluate((id) => engine.deleteModel(id), url);
  }
});

test("W5 downloads begun and aborted sixty times, then one", async ({ serve, visit }) => {
  const site = await serve(storageSite);
  const { context } = await visit({ args: noGpuArgs });
  const page = await openTab(context, site.url);
  const codes = await page.evaluate(async (baseUrl) => {
    const seen = new Set<string>();
    for (let i = 0; i < 60; i += 1) {
      const abort = new AbortController();
      const store = i % 2 === 0 ? "opfs" : "indexeddb";
      const ended = engine.download({ baseUrl }, { store, signal: abort.signal }).then(
        () => "ready",
        (error: unknown) => (library.isEngineError(error) ? error.code : String(error)),
      );
      setTimeout(() => abort.abort(), i % 40);
      const code = await ended;
      seen.add(code);
      if (code === "ready") await engine.deleteModel(baseUrl);
    }
    return [...seen];
  }, checkpoint.server.url);
  expect(["aborted", "ready"]).toEqual(expect.arrayContaining(codes));
  expect(codes).toContain("aborted");
  await beginDownload(page, checkpoint.server.url);
  await expect.poll(() => outcome(page)).toBe("ready");
  expect((await verify(page, checkpoint.server.url)).ok).toBe(true);
});

test("W1 a worker that closes itself, throws or rejects in mid-download is told of, and a new one goes on", async ({
  serve,
  visit,
}) => {
  const site = await serve(storageSite);
  const { context } = await visit({ args: noGpuArgs });
  const { server } = checkpoint;
  server.wholeFileDelayMs = 400;
  const ends = [
    { code: "worker-died", how: () => globalThis.close() },
    {
      code: "internal",
      how: () =>
        void setTimeout(() => {
          throw new Error("thrown by nobody");
        }),
    },
    { code: "internal", how: () => void Promise.reject(new Error("awaited by nobody")) },
  ];
  const page = await openTab(context, site.url);
  for (const { code, how } of ends) {
    await beginDownload(page, server.url, { connections: 1 });
    await expect.poll(() => page.evaluate(() => downloadReports.length)).toBeGreaterThan(0);
    const worker = page.workers().find((one) => /\/worker[^/]*\.js/.test(one.url()));
    if (worker === undefined) throw new Error("the page has no engine's worker");
    await worker.evaluate(how).catch(() => {}); // one that closes does not answer
    await expect.poll(() => outcome(page), { timeout: 5000 }).toBe(code);
    await page.evaluate(() => {
      engine.dispose();
      globalThis.engine = library.createWorkerEngine();
    });
  }
  server.wholeFileDelayMs = 0;
  await beginDownload(page, server.url);
  await expect.poll(() => outcome(page)).toBe("ready");
  expect((await verify(page, server.url)).ok).toBe(true);
});

// Chromium ends the whole tab then, so nobody is left to be told: what counts is what the next one finds.
test("W1 a worker whose heap is exhausted in mid-download loses nothing that is stored", async ({
  serve,
  visit,
}) => {
  const site = await serve(storageSite);
  const { context } = await visit({ args: [...noGpuArgs, "--js-flags=--max-old-space-size=64"] });
  const { server } = checkpoint;
  server.wholeFileDelayMs = 400;
  const page = await openTab(context, site.url);
  await beginDownload(page, server.url, { connections: 1 });
  const storedBytes = (tab: Page) =>
    tab.evaluate(() => engine.models().then(([model]) => model?.storedBytes ?? 0));
  await expect.poll(() => storedBytes(page)).toBeGreaterThan(0);
  const before = await storedBytes(page);
  const worker = page.workers().find((one) => /\/worker[^/]*\.js/.test(one.url()));
  if (worker === undefined) throw new Error("the page has no engine's worker");
  const crashed = page.waitForEvent("crash");
  await worker
    .evaluate(() => {
      setTimeout(() => {
        const kept: object[] = [];
        for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
      });
    })
    .catch(() => {}); // the answer may come too late
  await crashed;
  server.wholeFileDelayMs = 0;
  const next = await openTab(context, site.url);
  expect(await storedBytes(next)).toBeGreaterThanOrEqual(before);
  await beginDownload(next, server.url);
  await expect.poll(() => outcome(next)).toBe("ready");
  expect((await verify(next, server.url)).ok).toBe(true);
});
