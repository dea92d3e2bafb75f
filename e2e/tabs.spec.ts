// Two tabs that want one model; where it is loaded, with the emulated GPU.
import type { BrowserContext, Page } from "@playwright/test";
import { repositoryPath } from "../src/testing/reference.ts";
import { chatPage } from "./support/chat-page.ts";
import { beginDownload, noGpuArgs, openTab, outcome, reports, storageSite } from "./support/storage-page.ts";
import { expect, test } from "./support/test.ts";

const site = {
  ...storageSite,
  mounts: { ...storageSite.mounts, "/fixtures/": repositoryPath("fixtures") },
};
const path = "fixtures/tiny-mxfp4/";

/** Begins to load the tiny model; its progress is in `downloadReports`, its end in `downloadOutcome`. */
async function beginLoad(page: Page, baseUrl: string): Promise<void> {
  await page.evaluate((baseUrl) => {
    globalThis.downloadReports = [];
    globalThis.downloadOutcome = undefined;
    const onProgress = (report: (typeof downloadReports)[number]) => void downloadReports.push(report);
    engine.load({ baseUrl }, { contextLength: 64, store: "opfs", onProgress }).then(
      () => {
        globalThis.downloadOutcome = "ready";
      },
      (error: unknown) => {
        globalThis.downloadOutcome = library.isEngineError(error)
          ? `${error.code}: ${error.details.reason}`
          : String(error);
      },
    );
  }, baseUrl);
}

const ended = (page: Page) => page.evaluate(() => globalThis.downloadOutcome);

async function tabs(context: BrowserContext, url: string): Promise<[Page, Page]> {
  return [await openTab(context, url), await openTab(context, url)];
}

test("a repair beside a load harms neither; W2 a tab that crashes with the model on the GPU is followed within 3 s", async ({
  serve,
  visit,
}) => {
  const server = await serve(site);
  const baseUrl = `${server.url}${path}`;
  const { context } = await visit();
  const [first, second] = await tabs(context, server.url);
  for (let round = 0; round < 3; round += 1) {
    await beginLoad(first, baseUrl);
    await first.waitForTimeout(round * 40);
    const repaired = await second.evaluate(
      (id) =>
        engine.repairModel(id).then(
          ({ ok }) => (ok ? "ok" : "bad"),
          (error: unknown) => (library.isEngineError(error) ? error.code : String(error)),
        ),
      baseUrl,
    );
    // The first round's repair finds nothing yet, or a download.
    expect(["ok", "busy", "request-invalid"], `round ${round}`).toContain(repaired);
    await expect.poll(() => ended(first)).toBe("ready");
    expect((await second.evaluate((id) => engine.verifyModel(id), baseUrl)).ok).toBe(true);
  }

  await beginLoad(second, baseUrl);
  await expect.poll(() => second.evaluate(() => downloadReports.at(-1)?.state)).toBe("waiting-for-other-tab");
  const devtools = await context.newCDPSession(first);
  const crashed = first.waitForEvent("crash");
  void devtools.send("Page.crash").catch(() => {});
  await crashed;
  const diedMs = Date.now();
  await expect
    .poll(() => second.evaluate(() => downloadReports.at(-1)?.phase), { intervals: [20] })
    .toBe("load");
  expect(Date.now() - diedMs).toBeLessThan(3000);
  await expect.poll(() => ended(second)).toBe("ready");
});

test("a download that another tab does already is refused or taken over, as asked", async ({
  serve,
  visit,
}) => {
  let isSlow = true;
  const server = await serve({
    ...site,
    onRequest: ({ path }) =>
      isSlow && path.endsWith(".safetensors") ? { bytesPerSecond: 100_000 } : undefined,
  });
  const baseUrl = `${server.url}${path}`;
  const { context } = await visit({ args: noGpuArgs });
  const [first, second] = await tabs(context, server.url);
  await beginDownload(first, baseUrl);
  await expect.poll(async () => (await reports(first)).at(-1)?.state).toBe("running");
  await beginDownload(second, baseUrl, { otherTab: "refuse" });
  await expect.poll(() => outcome(second)).toBe("busy");
  expect(await outcome(first), "goes on").toBeUndefined();
  isSlow = false;
  await beginDownload(second, baseUrl, { otherTab: "take-over" });
  await expect.poll(() => outcome(second)).toBe("ready");
  await expect.poll(() => outcome(first)).toBe("busy");
});

test("a load that another tab takes over in mid-download is said in a sentence there, and goes on here", async ({
  serve,
  visit,
}) => {
  let isSlow = true;
  const server = await serve({
    onRequest: ({ path }) =>
      isSlow && path.endsWith(".safetensors") ? { bytesPerSecond: 600_000 } : undefined,
  });
  const { page, context } = await visit();
  const parameters = { chunkBytes: String(4 * 1024 * 1024) };
  const first = chatPage(page, server.url);
  await first.open(parameters);
  await first.load();
  await expect(first.by("progress-figures")).toContainText("left");
  const second = chatPage(await context.newPage(), server.url);
  await second.open(parameters);
  await second.load();
  await expect(second.page.locator("#progress-text")).toHaveText("Another tab fetches gpt-oss-nano");
  await second.by("pause").click();
  await expect(first.by("progress")).toHaveAttribute("data-state", "paused");
  await expect(second.page.locator("#progress-text")).toHaveText("Paused: gpt-oss-nano");
  isSlow = false;
  await second.by("take-over").click();
  await first.failsWith("busy");
  await expect(first.by("error")).toContainText("Another tab took the model over.");
  await first.modelIs("error");
  await second.modelIs("ready");
});
