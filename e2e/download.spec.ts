import { corruptChunk, storedChunks } from "./support/browser-store.ts";
import { chatPage, recordProgress } from "./support/chat-page.ts";
import { askedRanges, modelRequests } from "./support/requests.ts";
import { expect, test } from "./support/test.ts";

const chunkBytes = 4 * 1024 * 1024;
const parameters = { chunkBytes: String(chunkBytes) };
const modelBytes = 14_787_800;

test("a reload in mid-download resumes without fetching a stored chunk again", async ({ serve, visit }) => {
  let isSlow = true;
  const server = await serve({
    onRequest: ({ path, range }) =>
      // The first chunk arrives at once, the others only after the reload.
      isSlow && path.endsWith(".safetensors") && !range?.startsWith("bytes=0-")
        ? { bytesPerSecond: 100_000 }
        : undefined,
  });
  const { page } = await visit();
  const chat = chatPage(page, server.url);
  await chat.open(parameters);
  await chat.load();
  await expect.poll(() => storedChunks(page), { timeout: 30_000 }).toEqual([0]);
  expect(askedRanges(server.requests).filter(({ start }) => start === 0).length).toBeGreaterThan(0);

  isSlow = false;
  const before = server.requests.length;
  await page.reload();
  const progress = await recordProgress(page);
  await chat.load();
  await chat.modelIs("ready");
  const resumed = askedRanges(server.requests.slice(before));
  expect(resumed).toEqual([
    { start: chunkBytes, end: 2 * chunkBytes },
    { start: 2 * chunkBytes, end: 3 * chunkBytes },
    { start: 3 * chunkBytes, end: modelBytes },
  ]);
  const downloads = (await progress()).filter(({ phase }) => phase === "download");
  expect(downloads[0]?.loaded, "the progress starts where it was").toBeGreaterThanOrEqual(chunkBytes);
  expect(downloads.at(-1)).toEqual({ phase: "download", loaded: modelBytes, total: modelBytes });
});

test("a corrupted chunk is found and fetched again, and nothing else is; a deleted model is gone", async ({
  serve,
  visit,
}) => {
  const server = await serve();
  const { page } = await visit();
  const chat = chatPage(page, server.url);
  await chat.open(parameters);
  await chat.load();
  await chat.modelIs("ready");
  expect(await storedChunks(page)).toEqual([0, 1, 2, 3]);

  await corruptChunk(page, 2);
  let before = server.requests.length;
  await page.reload();
  await chat.load();
  await chat.modelIs("ready");
  expect(askedRanges(server.requests.slice(before))).toEqual([
    { start: 2 * chunkBytes, end: 3 * chunkBytes },
  ]);

  // It was put right in the store, not only in memory.
  before = server.requests.length;
  await page.reload();
  await chat.load();
  await chat.modelIs("ready");
  expect(modelRequests(server.requests.slice(before))).toEqual([]);

  // And whoever wants the room back gets it.
  await page.locator("#model-panel > summary").click();
  await page.getByRole("button", { name: /^Delete .*gpt-oss-nano/ }).click();
  await expect(page.locator("#stored-models")).toBeEmpty();
  expect(await storedChunks(page)).toEqual([]);
});

test("a lost network, then full storage: each is said in a sentence, and trying again goes on", async ({
  serve,
  visit,
}) => {
  const server = await serve();
  const { page, context } = await visit();
  const chat = chatPage(page, server.url);
  await chat.open(parameters);
  await context.setOffline(true);
  await chat.load();
  await chat.failsWith("download-failed");
  await expect(chat.by("error")).toContainText("The model could not be downloaded.");
  await context.setOffline(false);

  const devtools = await context.newCDPSession(page);
  const { origin } = new URL(server.url);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 6_000_000 });
  await chat.by("retry").click();
  await chat.failsWith("storage-full");
  await expect(chat.by("error")).toContainText("There is no room left in this browser's storage.");
  await devtools.send("Storage.overrideQuotaForOrigin", { origin });

  await chat.by("retry").click();
  await chat.modelIs("ready");
  await expect(chat.by("error")).toBeHidden();
});
