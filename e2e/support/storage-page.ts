import type { BrowserContext, CDPSession, Page } from "@playwright/test";
import type * as Library from "../../src/index.ts";
import { repositoryPath } from "../../src/testing/reference.ts";

/** Runs in the page. */
declare global {
  var library: typeof Library;
  var engine: Library.WorkerEngine;
  /** Progress of the download under way, the newest last. */
  var downloadReports: Library.ByteProgress[];
  /** What became of the download: `ready`, or an error's code. */
  var downloadOutcome: string | undefined;
}

/** An embedder's page with the built library; `root` and `mounts` for its server. */
export const storageSite = {
  root: repositoryPath("e2e/harness"),
  mounts: { "/lib/": repositoryPath("dist/lib") },
};

/** Chromium's flags: storing needs no WebGPU. */
export const noGpuArgs = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"];

/** A tab of the site with an engine of its own, in the library's worker or another one. */
export async function openTab(context: BrowserContext, url: string, workerPath?: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(async (workerPath) => {
    const address = "/lib/index.js";
    globalThis.library = (await import(address)) as typeof Library;
    const worker = () => new Worker(workerPath ?? "", { type: "module" });
    globalThis.engine = library.createWorkerEngine(workerPath === undefined ? {} : { worker });
  }, workerPath);
  return page;
}

/** Begins a download and waits for nothing. */
export async function beginDownload(
  page: Page,
  baseUrl: string,
  options: Library.DownloadOptions = {},
): Promise<void> {
  await page.evaluate(
    ([baseUrl, options]) => {
      globalThis.downloadReports = [];
      globalThis.downloadOutcome = undefined;
      const onProgress = (report: Library.ByteProgress) => void downloadReports.push(report);
      engine.download({ baseUrl }, { ...options, onProgress }).then(
        () => {
          globalThis.downloadOutcome = "ready";
        },
        (error: unknown) => {
          globalThis.downloadOutcome = library.isEngineError(error) ? error.code : String(error);
        },
      );
    },
    [baseUrl, options] as const,
  );
}

export const outcome = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => globalThis.downloadOutcome);
export const reports = (page: Page): Promise<Library.ByteProgress[]> =>
  page.evaluate(() => globalThis.downloadReports);

/** Checks every digest of the model. */
export const verify = (page: Page, id: string): Promise<Library.VerifyReport> =>
  page.evaluate((id) => engine.verifyModel(id), id);

/** What "clear site data" does. */
export function clearSite(devtools: CDPSession, url: string): Promise<unknown> {
  return devtools.send("Storage.clearDataForOrigin", { origin: new URL(url).origin, storageTypes: "all" });
}
