// The page's part that chooses, reports on, downloads and keeps models.
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { repositoryPath } from "../src/testing/reference.ts";
import { corruptChunk, storedChunks } from "./support/browser-store.ts";
import { chatPage } from "./support/chat-page.ts";
import { askedRanges, modelRequests } from "./support/requests.ts";
import { noGpuArgs } from "./support/storage-page.ts";
import { expect, test } from "./support/test.ts";

const chunkBytes = 4 * 1024 * 1024;
const parameters = { chunkBytes: String(chunkBytes) };

/** Pickers of folders give one in the site's private file system: no test can click a dialog of the system. */
async function stubPicker(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const showDirectoryPicker = async () =>
      (await navigator.storage.getDirectory()).getDirectoryHandle("exported", { create: true });
    Object.assign(globalThis, { showDirectoryPicker });
  });
}

test("a download shows its rate and the time left, pauses, goes on, is cancelled and begins where it was", async ({
  serve,
  visit,
}) => {
  let isSlow = true;
  const server = await serve({
    onRequest: ({ path }) =>
      isSlow && path.endsWith(".safetensors") ? { bytesPerSecond: 600_000 } : undefined,
  });
  const { page } = await visit({ args: noGpuArgs });
  const { by, open } = chatPage(page, server.url);
  await open(parameters);
  await by("download").click();
  await expect(by("progress-figures")).toHaveText(
    /^[\d.]+ MB of 14\.8 MB \(\d+ %\) · [\d.]+ [kM]B\/s · \d+ s left$/,
  );

  await by("pause").click();
  await expect(by("progress")).toHaveAttribute("data-state", "paused");
  await expect(page.locator("#announcer")).toHaveText("Paused: gpt-oss-nano");
  const loaded = () => by("progress").getAttribute("data-loaded");
  const held = await loaded();
  await page.waitForTimeout(600);
  expect(await loaded()).toBe(held);
  await by("pause").click();
  await expect(by("progress")).toHaveAttribute("data-state", "running");
  await expect.poll(loaded).not.toBe(held);
  await expect.poll(() => storedChunks(page)).not.toEqual([]);

  await by("cancel").click();
  await expect(page.locator("#progress-row")).toBeHidden();
  await expect(page.locator("#stored-models li")).toContainText("not complete");
  await expect(by("error")).toBeHidden();
  const kept = await storedChunks(page);
  isSlow = false;
  const before = server.requests.length;
  await by("download").click();
  await expect(page.locator("#stored-models .stored-name")).toHaveText("gpt-oss-nano");
  await expect(page.locator("#stored-models .stored-size")).toHaveText("14.8 MB · 1 file · IndexedDB");
  const fetched = askedRanges(server.requests.slice(before)).map(({ start }) =>
    Math.floor(start / chunkBytes),
  );
  expect(fetched.filter((index) => kept.includes(index))).toEqual([]);
  await expect(by("storage-summary")).toContainText("1 model, 14.8 MB.");
});

test("a stored model is verified, repaired, exported, deleted, and imported again from the folder", async ({
  serve,
  visit,
}) => {
  const server = await serve();
  const { page } = await visit({ args: noGpuArgs });
  await stubPicker(page);
  const { by, open } = chatPage(page, server.url);
  const press = (name: RegExp) => page.getByRole("button", { name }).click();
  await open(parameters);
  await by("download").click();
  await press(/^Verify .*gpt-oss-nano/);
  await expect(by("stored-note")).toHaveText("Checked: every byte is as it was published.");
  await expect(page.getByRole("button", { name: /^Repair/ })).toHaveCount(0);
  await expect(page.getByRole("button", { name: /^Verify/ }), "the focus comes back").toBeFocused();

  await corruptChunk(page, 2);
  await press(/^Verify .*gpt-oss-nano/);
  await expect(by("stored-note")).toContainText("Damaged or missing: model.safetensors (1 part).");
  let before = server.requests.length;
  await press(/^Repair .*gpt-oss-nano/);
  await expect(by("stored-note")).toHaveText("Checked: every byte is as it was published.");
  expect(askedRanges(server.requests.slice(before))).toEqual([
    { start: 2 * chunkBytes, end: 3 * chunkBytes },
  ]);

  before = server.requests.length;
  await press(/^Export… .*gpt-oss-nano/);
  await expect(by("stored-note")).toHaveText("Exported into the folder exported.");
  await press(/^Delete .*gpt-oss-nano/);
  await expect(page.locator("#stored-models")).toBeEmpty();
  await expect(by("storage-summary")).toHaveText("Nothing yet.");
  expect(await storedChunks(page)).toEqual([]);

  await by("import-folder").click();
  await expect(page.locator("#stored-models li")).toContainText("exported (imported folder)");
  await expect(page.locator("#stored-models li")).toContainText("14.8 MB");
  await expect(by("folder-facts")).toHaveText("exported: 1 weight file, 14.8 MB.");
  await press(/^Verify exported/);
  await expect(by("stored-note")).toHaveText("Checked: every byte is as it was published.");
  expect(modelRequests(server.requests.slice(before)), "nothing came over the network").toEqual([]);
});

test("a folder that lacks files is refused by name before anything is loaded", async ({
  serve,
  visit,
  scratch,
}) => {
  const folder = join(scratch, "my-model");
  await cp(repositoryPath("fixtures/tiny-sharded"), folder, { recursive: true });
  await rm(join(folder, "model-00001-of-00002.safetensors"));
  const server = await serve();
  const { page } = await visit({ args: noGpuArgs });
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, "showDirectoryPicker"));
  const { by, open } = chatPage(page, server.url);
  await open();
  await by("model-select").selectOption({ label: "A folder on this device…" });
  await by("load").click();
  await expect(by("folder-facts")).toHaveText("Choose a folder first, or drop one on this page.");
  const chooser = page.waitForEvent("filechooser");
  await by("pick-folder").click();
  await (await chooser).setFiles(folder);
  await expect(by("folder-facts")).toContainText("Missing: model-00001-of-00002.safetensors.");
  await expect(by("folder-facts")).toContainText("no tokenizer.json");
  await by("load").click();
  await expect(page.locator("#progress-row")).toBeHidden();
  await expect(by("error")).toBeHidden();
});

test("whether 20b will run here is told before any download, and what is in the way stops the load", async ({
  serve,
  visit,
}) => {
  const server = await serve();
  const first = await visit();
  const outside: string[] = [];
  first.page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) outside.push(request.url());
  });
  const chat = chatPage(first.page, server.url);
  const { by } = chat;
  await chat.open();
  await by("model-select").selectOption("listed:openai/gpt-oss-20b");
  await expect(by("capability-verdict")).toHaveText(/14\.\d GB of GPU memory/);
  await first.page.locator("#capability > summary").click();
  for (const term of ["GPU memory", "Context", "Download", "Adapter", "Limits", "Features"])
    await expect(by("capability").locator("dt", { hasText: new RegExp(`^${term}$`) })).toBeVisible();
  await expect(by("capability")).toContainText("weights 13.8 GB");

  await first.page.locator("#load-settings > summary").click();
  await first.page.getByLabel("Dense weights").selectOption("int8");
  await expect(by("capability")).toContainText("weights 12.6 GB");
  await first.page.getByLabel("Memory of the GPU, GB").fill("8");
  await first.page.getByLabel("Memory of the GPU, GB").blur();
  await expect(by("capability-verdict")).toHaveText("no");
  await expect(by("problems")).toContainText("Use a GPU with more memory, or a smaller model.");
  await chat.load();
  await chat.failsWith("out-of-memory");
  await chat.modelIs("error");
  expect(outside, "no other server was asked").toEqual([]);
  await first.close();

  const second = await visit({ args: noGpuArgs });
  const without = chatPage(second.page, server.url);
  await without.open();
  await second.page.locator("#capability > summary").click();
  await expect(without.by("capability-verdict")).toHaveText("no");
  await expect(without.by("problems")).toContainText("Use a browser with WebGPU");
  expect(
    askedRanges(server.requests).every(({ end }) => end <= 65_536),
    "only the header was read",
  ).toBe(true);
});

test("a second tab waits for the model, says so, and takes it over", async ({ serve, visit }) => {
  const server = await serve();
  const { page, context } = await visit();
  const first = chatPage(page, server.url);
  await first.open();
  await first.load();
  await first.modelIs("ready");
  const second = chatPage(await context.newPage(), server.url);
  await second.open();
  await second.load();
  await expect(second.page.locator("#progress-text")).toHaveText("Waiting: another tab uses gpt-oss-nano");
  await second.by("take-over").click();
  await second.modelIs("ready");
  await first.failsWith("busy");
  await expect(first.by("error")).toContainText("Another tab took the model over.");
});
