// What goes wrong between server and store in a real browser's network stack: no GPU is needed for any of it.
import { createHash } from "node:crypto";
import { chromium, type Page } from "@playwright/test";
import type { Fault } from "../src/testing/range-server.ts";
import { type ShardedCheckpoint, serveSharded } from "./support/sharded-checkpoint.ts";
import {
  beginDownload,
  noGpuArgs,
  openTab,
  outcome,
  reports,
  storageSite,
  verify,
} from "./support/storage-page.ts";
import { expect, test } from "./support/test.ts";

const numShards = 4;
let checkpoint: ShardedCheckpoint;
test.describe.configure({ timeout: 90_000 });
test.beforeEach(async () => {
  checkpoint = await serveSharded(numShards);
});
test.afterEach(() => checkpoint.server.close());

interface Case {
  readonly name: string;
  readonly fault: Fault;
  readonly times?: number;
  /** Default: `ready`. */
  readonly ends?: string;
  readonly leastMs?: number;
}

/** What no second try would help. */
const refused = "download-failed";

const cases: readonly Case[] = [
  { name: "N1 a reset", fault: { kind: "reset", afterBytes: 50_000 }, times: 2 },
  { name: "N2 a body that ends early", fault: { kind: "short-body", afterBytes: 50_000 }, times: 2 },
  { name: "N3 200 instead of 206", fault: { kind: "ignore-range" }, ends: refused },
  { name: "N4 a wrong Content-Range", fault: { kind: "content-range", value: "bytes 1-2/3" }, ends: refused },
  { name: "N4 no Content-Range", fault: { kind: "content-range", value: undefined }, ends: refused },
  { name: "N6 403 once", fault: { kind: "status", status: 403 }, ends: refused },
  { name: "N7 429 with Retry-After", fault: { kind: "status", status: 429, retryAfter: "2" }, leastMs: 2000 },
  { name: "N7 503", fault: { kind: "status", status: 503 } },
  { name: "N8 a stall", fault: { kind: "stall", afterBytes: 50_000 } },
  { name: "N9 an HTML page", fault: { kind: "html" }, ends: refused },
  { name: "N10 a compressed range", fault: { kind: "gzip" } },
  { name: "more bytes than asked for", fault: { kind: "extra-bytes" }, ends: refused },
  { name: "N12 a redirect loop", fault: { kind: "redirect-to-itself" }, ends: refused },
];

/** Deletes the model and downloads it; resolves to how that ended. */
async function downloadAnew(page: Page): Promise<string | undefined> {
  const { url } = checkpoint.server;
  await page.evaluate((id) => engine.deleteModel(id), url);
  checkpoint.server.requests.length = 0;
  await beginDownload(page, url);
  await expect.poll(() => outcome(page), { intervals: [20] }).toBeDefined();
  return outcome(page);
}

/** Every shard that is stored is the server's, by SHA-256. */
async function expectWhole(page: Page, about: string): Promise<void> {
  const report = await verify(page, checkpoint.server.url);
  expect(report, about).toMatchObject({ ok: true, badTexts: [] });
  const stored = await page.evaluate(async (id) => {
    const models = await engine.models();
    return models.find((model) => model.id === id)?.files.map(({ name, sha256 }) => [name, sha256]);
  }, checkpoint.server.url);
  expect(stored, about).toEqual(
    checkpoint.shards.map((name) => {
      const bytes = checkpoint.server.files.get(name) ?? "";
      return [name, createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

test("every fault of a server ends in a whole model or a typed error, and the next try in a whole model", async ({
  serve,
  visit,
}) => {
  const site = await serve(storageSite);
  const { context } = await visit({ args: noGpuArgs });
  const page = await openTab(context, site.url, "/hasty-worker.js");
  const { server, shards } = checkpoint;
  const [, shard = ""] = shards;
  for (const { name, fault, times = 1, ends = "ready", leastMs = 0 } of cases) {
    // Size and header are read before the weights.
    server.fault(shard, fault, { times, skip: 2 });
    const begunMs = Date.now();
    expect(await downloadAnew(page), name).toBe(ends);
    expect(Date.now() - begunMs, name).toBeGreaterThanOrEqual(leastMs);
    if (ends !== "ready") {
      await beginDownload(page, server.url);
      await expect.poll(() => outcome(page), name).toBe("ready");
    }
    await expectWhole(page, name);
  }
});

/** Makes the shards come slowly, and waits until the first ones are there. */
async function beginSlowly(page: Page, delayMs: number): Promise<void> {
  checkpoint.server.wholeFileDelayMs = delayMs;
  await beginDownload(page, checkpoint.server.url, { connections: 1 });
  await expect.poll(async () => (await reports(page)).at(-1)?.loadedBytes ?? 0).toBeGreaterThan(0);
}

test("files that change and a network that goes away in mid-download; a cancel ends it at once", async ({
  serve,
  visit,
}) => {
  const site = await serve(storageSite);
  const { context } = await visit({ args: noGpuArgs });
  const page = await openTab(context, site.url);
  const { server, shards } = checkpoint;
  const last = shards.at(-1) ?? "";

  await beginSlowly(page, 300);
  await context.setOffline(true);
  await page.waitForTimeout(1500);
  expect(await outcome(page), "N11: it is tried again for longer").toBeUndefined();
  await context.setOffline(false);
  await expect.poll(() => outcome(page)).toBe("ready");
  await expectWhole(page, "N11 offline, then online");
  await page.evaluate((id) => engine.deleteModel(id), server.url);

  // While the first shards come, the weights of the last one change, with all that the server says of it.
  await beginSlowly(page, 300);
  const changed = Buffer.from(server.files.get(last) ?? "");
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
  server.files.set(last, changed);
  server.etags.set(last, '"changed"');
  await expect.poll(() => outcome(page)).toBe("ready");
  await expectWhole(page, "N5 a file that changes");
  await page.evaluate((id) => engine.deleteModel(id), server.url);

  await beginSlowly(page, 1000);
  const cancelMs = await page.evaluate(async () => {
    const begunMs = performance.now();
    await engine.cancelDownload();
    return performance.now() - begunMs;
  });
  expect(cancelMs, "N13").toBeLessThan(200);
  await expect.poll(() => outcome(page)).toBe("aborted");
});

test("S7 incognito: both stores keep a model as long as the window lasts", async ({
  serve,
  launchOptions,
  channel,
}) => {
  const site = await serve(storageSite);
  const browser = await chromium.launch({
    ...launchOptions,
    args: noGpuArgs,
    ...(channel === undefined ? {} : { channel }),
  });
  const context = await browser.newContext();
  const page = await openTab(context, site.url);
  for (const store of ["indexeddb", "opfs"] as const) {
    await beginDownload(page, checkpoint.server.url, { store });
    await expect.poll(() => outcome(page)).toBe("ready");
    await expectWhole(page, store);
    expect((await page.evaluate(() => engine.storage())).persisted).toBe(false);
    await page.evaluate((id) => engine.deleteModel(id), checkpoint.server.url);
  }
  await browser.close();
});
