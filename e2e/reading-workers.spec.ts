import type { Page } from "@playwright/test";
import { repositoryPath } from "../src/testing/reference.ts";
import {
  beginDownload,
  clearSite,
  noGpuArgs,
  openTab,
  outcome,
  storageSite,
  verify,
} from "./support/storage-page.ts";
import { expect, test } from "./support/test.ts";

// Faults while reading workers have a model's file open: one large enough that they are asked to read it.

const site = {
  root: storageSite.root,
  mounts: { ...storageSite.mounts, "/fixtures/": repositoryPath("fixtures") },
};
const path = "fixtures/tiny-mxfp4/";

/** Runs in the page. */
declare global {
  var numVerified: number;
  /** Why checking ended. */
  var verifyingEnded: string | undefined;
}

/** Checks the stored model again and again, as long as it is there. */
async function beginVerifying(page: Page, id: string): Promise<void> {
  await page.evaluate((id) => {
    globalThis.numVerified = 0;
    globalThis.verifyingEnded = undefined;
    const next = (): Promise<void> =>
      engine.verifyModel(id).then(({ ok }) => {
        if (!ok) throw new Error("bad");
        globalThis.numVerified += 1;
        return next();
      });
    next().catch((error: unknown) => {
      globalThis.verifyingEnded = String(error);
    });
  }, id);
  await expect.poll(() => page.evaluate(() => globalThis.numVerified)).toBeGreaterThan(2);
}

for (const store of ["indexeddb", "opfs"] as const) {
  test(`${store}: a tab that crashes while workers read leaves nothing locked: another one deletes the model`, async ({
    serve,
    visit,
  }) => {
    const server = await serve(site);
    const id = `${server.url}${path}`;
    const { context } = await visit({ args: noGpuArgs });
    const [first, second] = [await openTab(context, server.url), await openTab(context, server.url)];
    for (const wait of [0, 15, 40]) {
      const tab = wait === 0 ? first : await openTab(context, server.url);
      await beginDownload(tab, id, { store });
      await expect.poll(() => outcome(tab)).toBe("ready");
      await beginVerifying(tab, id);
      await tab.waitForTimeout(wait);
      const devtools = await context.newCDPSession(tab);
      const crashed = tab.waitForEvent("crash");
      void devtools.send("Page.crash").catch(() => {});
      await crashed;
      const remove = () =>
        second.evaluate(
          (id) =>
            engine.deleteModel(id).then(
              () => "deleted",
              (error: unknown) => String(error),
            ),
          id,
        );
      await expect.poll(remove, { timeout: 3000, intervals: [50] }).toBe("deleted");
      expect(await second.evaluate(() => engine.models())).toEqual([]);
      await tab.close();
    }
    expect(server.requests.some((request) => request.path === "/lib/read-worker.js")).toBe(true);
  });
}

// Chromium's private file system answers nobody once site data was cleared while a file was open: decision 0010.
test("indexeddb: site data cleared while workers read is missed, and the model downloaded again", async ({
  serve,
  visit,
}) => {
  const store = "indexeddb";
  const server = await serve(site);
  const id = `${server.url}${path}`;
  const { context } = await visit({ args: noGpuArgs });
  const page = await openTab(context, server.url);
  const devtools = await context.newCDPSession(page);
  for (let round = 0; round < 3; round += 1) {
    await beginDownload(page, id, { store });
    await expect.poll(() => outcome(page)).toBe("ready");
    await beginVerifying(page, id);
    await page.waitForTimeout(10 * round);
    await clearSite(devtools, server.url);
    // A Blob that is cleared while it is read may keep still: that takes twice 11 s to be sure.
    await expect
      .poll(() => page.evaluate(() => globalThis.verifyingEnded), { timeout: 40_000 })
      .toBeDefined();
    expect(await page.evaluate(() => engine.models())).toEqual([]);
  }
  await beginDownload(page, id, { store });
  await expect.poll(() => outcome(page)).toBe("ready");
  expect((await verify(page, id)).ok).toBe(true);
});
