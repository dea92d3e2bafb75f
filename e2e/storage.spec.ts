// The stores of a real browser, and what may happen to them: no GPU is needed for any of it.
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { build } from "vite";
import { seededRandom } from "../src/testing/data.ts";
import { damageFiles, damageJournal, damageRecords } from "./support/damage-stored.ts";
import { type ShardedCheckpoint, serveSharded } from "./support/sharded-checkpoint.ts";
import {
  beginDownload,
  clearSite,
  noGpuArgs,
  openTab,
  outcome,
  reports,
  storageSite,
  verify,
} from "./support/storage-page.ts";
import { expect, test } from "./support/test.ts";

const numShards = 16;
let checkpoint: ShardedCheckpoint;

test.beforeEach(async () => {
  checkpoint = await serveSharded(numShards);
});
test.afterEach(() => checkpoint.server.close());

/** Makes the shards' chunks come slowly enough to come between. */
function throttle(chunkMs: number): void {
  checkpoint.server.wholeFileDelayMs = chunkMs;
}

test("both stores keep their contract in this browser", async ({ serve, visit, scratch }) => {
  const out = join(scratch, "contract");
  const entry = join(storageSite.root, "store-contract-worker.ts");
  await build({
    configFile: false,
    logLevel: "error",
    build: { outDir: out, target: "es2022", lib: { entry, formats: ["es"], fileName: "contract" } },
  });
  const server = await serve({ ...storageSite, mounts: { "/contract/": out } });
  const { page } = await visit({ args: noGpuArgs });
  await page.goto(server.url);
  const { results, numReaders } = await page.evaluate(
    () =>
      new Promise<{ results: { name: string; error?: string }[]; numReaders: number }>((resolve, reject) => {
        const worker = new Worker("/contract/contract.js", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
      }),
  );
  expect(results.length).toBeGreaterThan(30);
  expect(numReaders).toBeGreaterThan(10);
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
});

test("killed at 20 random points, a download goes on each time and loses no stored byte", async ({
  serve,
  visit,
}) => {
  const random = seededRandom(20);
  const site = await serve(storageSite);
  const { url } = checkpoint.server;
  throttle(80);
  let browser = await visit({ args: noGpuArgs });
  let numKills = 0;
  let numDownloads = 0;
  while (numKills < 20) {
    const store = numKills < 10 ? "opfs" : "indexeddb";
    numDownloads += 1;
    checkpoint.server.requests.length = 0;
    let killsOfThis = 0;
    let keptBytes = 0;
    for (let isReady = false; !isReady; ) {
      const page = await openTab(browser.context, site.url);
      await beginDownload(page, url, { store, connections: 2 });
      // Until the dead tab's locks are free, reports are of waiting and count nothing.
      await page.waitForFunction(
        () => downloadReports.some(({ state }) => state === "running") || downloadOutcome !== undefined,
        undefined,
        { polling: 10 },
      );
      expect([undefined, "ready"], `after kill ${numKills}`).toContain(await outcome(page));
      // Where the kill came after the last byte, nothing is left to report.
      const begun = (await reports(page)).find(({ state }) => state === "running");
      if (begun === undefined) expect(await outcome(page)).toBe("ready");
      else expect(begun.loadedBytes, "what was stored is still there").toBeGreaterThanOrEqual(keptBytes);
      if (numKills < 20 && killsOfThis < 10) await page.waitForTimeout(random() * 250);
      else await expect.poll(() => outcome(page), { timeout: 20_000 }).toBe("ready");
      isReady = (await outcome(page)) === "ready";
      keptBytes = await storedBytes(page);
      if (isReady) {
        const report = await verify(page, url);
        expect(report, `${store} after ${killsOfThis} kills`).toMatchObject({ ok: true, badTexts: [] });
        await page.evaluate((id) => engine.deleteModel(id), url);
        await page.close();
        break;
      }
      numKills += 1;
      killsOfThis += 1;
      browser = await kill(numKills, page, browser, () => visit({ args: noGpuArgs }));
    }
    // Only what was in flight at a kill was fetched again.
    const fetched = checkpoint.timesFetched().reduce((sum, times) => sum + times, 0);
    expect(fetched).toBeLessThanOrEqual(numShards + 2 * killsOfThis);
  }
  expect(numDownloads).toBeGreaterThanOrEqual(2);
});

/** Ends the worker, the tab or the whole browser, as chance has it. */
async function kill<T>(number: number, page: Page, browser: T, restart: () => Promise<T>): Promise<T> {
  if (number % 10 === 5) {
    await crashBrowser(page);
    return restart();
  }
  if (number % 3 === 0) await page.evaluate(() => engine.dispose());
  if (number % 3 === 1) await crash(page);
  await page.close();
  return browser;
}

/** Ends the browser's main process, as SIGKILL does. */
async function crashBrowser(page: Page): Promise<void> {
  const context = page.context();
  const devtools = await context.browser()?.newBrowserCDPSession();
  if (devtools === undefined) throw new Error("the context has no browser");
  const closed = context.waitForEvent("close");
  void devtools.send("Browser.crash").catch(() => {});
  await closed;
}

/** Ends the tab's process. */
async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash");
  const devtools = await page.context().newCDPSession(page);
  void devtools.send("Page.crash").catch(() => {});
  await crashed;
}

/** What this browser's storage has of the model, by its own account. */
async function storedBytes(page: Page): Promise<number> {
  const models = await page.evaluate(() => engine.models());
  return models[0]?.storedBytes ?? 0;
}

// Chromium reserves 1 MiB at least for each file that is open for writing in the private file system.
for (const [store, quotas] of [
  ["indexeddb", [1, 250_000, 900_000]],
  ["opfs", [1, 3_000_000, 9_000_000]],
] as const) {
  test(`${store}: no room at all, for one chunk, for half: storage-full each time, then it goes on`, async ({
    serve,
    visit,
  }) => {
    const site = await serve(storageSite);
    const { context } = await visit({ args: noGpuArgs });
    const page = await openTab(context, site.url);
    const devtools = await context.newCDPSession(page);
    const { origin } = new URL(site.url);
    const { url } = checkpoint.server;
    expect(await page.evaluate(() => engine.models())).toEqual([]);
    let before = 0;
    for (const quotaSize of quotas) {
      await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
      await beginDownload(page, url, { store });
      await expect.poll(() => outcome(page)).toBe("storage-full");
      const [model] = await page.evaluate(() => engine.models());
      expect(model?.ready ?? false).toBe(false);
      const stored = model?.storedBytes ?? 0;
      expect(stored).toBeGreaterThanOrEqual(before);
      before = stored;
    }
    expect(before, "half of it was stored").toBeGreaterThan(0);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin });
    await beginDownload(page, url, { store });
    await expect.poll(() => outcome(page)).toBe("ready");
    expect((await reports(page))[0]?.loadedBytes).toBe(before);
    expect((await verify(page, url)).ok).toBe(true);
  });

  test(`${store}: site data cleared under an open engine is missed at once, and downloaded again`, async ({
    serve,
    visit,
  }) => {
    const site = await serve(storageSite);
    const { context } = await visit({ args: noGpuArgs });
    const page = await openTab(context, site.url);
    const devtools = await context.newCDPSession(page);
    for (let round = 0; round < 2; round += 1) {
      await beginDownload(page, checkpoint.server.url, { store });
      await expect.poll(() => outcome(page)).toBe("ready");
      expect((await verify(page, checkpoint.server.url)).ok).toBe(true);
      await clearSite(devtools, site.url);
      expect(await page.evaluate(() => engine.models())).toEqual([]);
    }
  });
}

for (const store of ["indexeddb", "opfs"] as const) {
  test(`${store}: site data cleared in mid-download ends in a whole model or an error, never in a broken model`, async ({
    serve,
    visit,
  }) => {
    const site = await serve(storageSite);
    const { context, close } = await visit({ args: noGpuArgs });
    const page = await openTab(context, site.url);
    const devtools = await context.newCDPSession(page);
    throttle(200);
    await beginDownload(page, checkpoint.server.url, { store, connections: 2 });
    await expect.poll(() => storedBytes(page)).toBeGreaterThan(200_000);
    await clearSite(devtools, site.url);
    throttle(0);
    await expect.poll(() => outcome(page)).toBeDefined();
    expect(["ready", "storage-failed"]).toContain(await outcome(page));
    // Chromium's private file system answers nobody from then on, until the browser is restarted: IndexedDB must.
    const next = await openTab(context, site.url);
    await beginDownload(next, checkpoint.server.url);
    await expect.poll(() => outcome(next)).toBe("ready");
    expect((await verify(next, checkpoint.server.url)).ok).toBe(true);
    if (store === "indexeddb") return;
    expect((await next.evaluate(() => engine.storage())).failedStores).toMatchObject([{ store }]);
    await next.evaluate((id) => engine.deleteModel(id), checkpoint.server.url);
    await close();
    const restarted = await openTab((await visit({ args: noGpuArgs })).context, site.url);
    expect((await restarted.evaluate(() => engine.storage())).failedStores).toEqual([]);
    await beginDownload(restarted, checkpoint.server.url, { store });
    await expect.poll(() => outcome(restarted)).toBe("ready");
    const [model] = await restarted.evaluate(() => engine.models());
    expect(model).toMatchObject({ ready: true, store });
  });
}

test("indexeddb: another tab may delete the database; where a tab prevents that, the wait ends in an error", async ({
  serve,
  visit,
}) => {
  const site = await serve(storageSite);
  const { context, page: other } = await visit({ args: noGpuArgs });
  const page = await openTab(context, site.url);
  await beginDownload(page, checkpoint.server.url);
  await expect.poll(() => outcome(page)).toBe("ready");
  await other.goto(site.url);
  /** Resolves to the first thing that happens to the deletion. */
  const deleteDatabase = () => {
    return new Promise<string>((resolve) => {
      const request = indexedDB.deleteDatabase("gpt-oss-webgpu");
      request.onsuccess = () => resolve("deleted");
      request.onblocked = () => resolve("blocked");
    });
  };
  expect(await other.evaluate(deleteDatabase)).toBe("deleted");
  expect(await page.evaluate(() => engine.models())).toEqual([]);

  const keeping = await context.newPage();
  await keeping.goto(site.url);
  await keeping.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const request = indexedDB.open("gpt-oss-webgpu");
        request.onsuccess = () => {
          (globalThis as { kept?: IDBDatabase }).kept = request.result; // so that the collector leaves it open
          resolve();
        };
      }),
  );
  expect(await other.evaluate(deleteDatabase)).toBe("blocked");
  const next = await openTab(context, site.url);
  await beginDownload(next, checkpoint.server.url);
  await expect.poll(() => outcome(next)).toBe("storage-failed");
  await keeping.close();
  await beginDownload(next, checkpoint.server.url);
  await expect.poll(() => outcome(next)).toBe("ready");
});

for (const [store, damage] of [
  ["indexeddb", damageRecords],
  ["opfs", damageFiles],
] as const) {
  test(`${store}: a flipped bit, a file cut short and swapped files are found and repaired alone; the export is the original`, async ({
    serve,
    visit,
  }) => {
    const site = await serve(storageSite);
    const { context } = await visit({ args: noGpuArgs });
    const page = await openTab(context, site.url);
    const { server, shards } = checkpoint;
    await beginDownload(page, server.url, { store });
    await expect.poll(() => outcome(page)).toBe("ready");
    const damaged = [1, 4, 6, 9].map((index) => shards[index] ?? "");
    await page.evaluate(damage, damaged);
    server.requests.length = 0;
    const found = await verify(page, server.url);
    expect(found.files.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(damaged);
    const broken = await page.evaluate(exportAll, server.url);
    expect(broken.result).toBe("checksum-mismatch");
    const written = broken.files.map(([name]) => name).filter((name) => shards.includes(name));
    expect(written, "nothing of the damaged one").toEqual(shards.slice(0, 1));
    const repaired = await page.evaluate((id) => engine.repairModel(id), server.url);
    expect(repaired.ok).toBe(true);
    expect(new Set(server.requests.map(({ file }) => file))).toEqual(new Set(damaged));

    const { result, files: digests } = await page.evaluate(exportAll, server.url);
    expect(result).toBe("done");
    const published = new Map(found.files.map(({ name, expectedSha256 }) => [name, expectedSha256]));
    expect(digests.filter(([name]) => published.has(name))).toEqual(
      shards.map((name) => [name, published.get(name)]),
    );
    expect(digests.map(([name]) => name)).toEqual(
      expect.arrayContaining(["config.json", "model.safetensors.index.json"]),
    );
  });
}

/** Runs in the page: exports a model; gives what became of it, and the names and SHA-256 of the files in the folder. */
async function exportAll(id: string): Promise<{ result: string; files: [string, string][] }> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("exported", { create: true });
  const result = await engine.exportModel(id, folder).then(
    () => "done",
    (error: unknown) => (library.isEngineError(error) ? error.code : String(error)),
  );
  const files: [string, string][] = [];
  for await (const [name, handle] of folder as unknown as AsyncIterable<[string, FileSystemFileHandle]>) {
    const bytes = await (await handle.getFile()).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    files.push([name, [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")]);
  }
  return { result, files: files.sort() };
}

test("opfs: a model whose journal is lost is listed with its bytes, and deleted", async ({
  serve,
  visit,
}) => {
  const site = await serve(storageSite);
  const { context } = await visit({ args: noGpuArgs });
  const page = await openTab(context, site.url);
  await beginDownload(page, checkpoint.server.url, { store: "opfs" });
  await expect.poll(() => outcome(page)).toBe("ready");
  await page.evaluate(damageJournal);
  const [lost, ...others] = await page.evaluate(() => engine.models());
  expect(others).toEqual([]);
  expect(lost).toMatchObject({ ready: false, totalBytes: checkpoint.totalBytes });
  await page.evaluate((id) => engine.deleteModel(id), lost?.id ?? "");
  const left = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const models = await root.getDirectoryHandle("gpt-oss-webgpu");
    const names: string[] = [];
    for await (const [name] of models as unknown as AsyncIterable<[string]>) names.push(name);
    return names;
  });
  expect(left).toEqual([]);
});

test("two tabs: one download, the same progress in both, a pause for both; the second takes over from one that dies", async ({
  serve,
  visit,
}) => {
  const site = await serve(storageSite);
  const { context } = await visit({ args: noGpuArgs });
  const first = await openTab(context, site.url);
  const second = await openTab(context, site.url);
  const { url } = checkpoint.server;
  throttle(600);
  await beginDownload(first, url, { connections: 2 });
  await expect.poll(async () => (await reports(first)).at(-1)?.loadedBytes ?? 0).toBeGreaterThan(0);
  await beginDownload(second, url, { connections: 2 });
  const seenBySecond = async () => (await reports(second)).at(-1);
  await expect.poll(async () => (await seenBySecond())?.loadedBytes ?? 0).toBeGreaterThan(0);
  expect(await seenBySecond()).toMatchObject({
    state: "waiting-for-other-tab",
    totalBytes: checkpoint.totalBytes,
  });

  await second.evaluate(() => engine.pauseDownload());
  await expect.poll(async () => (await reports(first)).at(-1)?.state).toBe("paused");
  await second.evaluate(() => engine.resumeDownload());
  await expect.poll(async () => (await reports(first)).at(-1)?.state).toBe("running");

  await crash(first);
  const diedMs = Date.now();
  await expect
    .poll(async () => (await seenBySecond())?.state, { timeout: 10_000, intervals: [20] })
    .toBe("running");
  expect(Date.now() - diedMs, "taken over within 3 s").toBeLessThan(3000);
  throttle(0);
  await expect.poll(() => outcome(second)).toBe("ready");
  const loaded = (await reports(second)).map(({ loadedBytes }) => loadedBytes);
  expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  expect((await verify(second, url)).ok).toBe(true);
  const fetched = checkpoint.timesFetched().reduce((sum, times) => sum + times, 0);
  expect(fetched, "what the first one had in flight").toBeLessThanOrEqual(numShards + 2 * 2);
});
