import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, test as base, chromium, type Page } from "@playwright/test";
import {
  createStaticServer,
  type StaticServer,
  type StaticServerOptions,
} from "../../scripts/lib/static-server.mjs";
import { repositoryPath } from "../../src/testing/reference.ts";

export { expect } from "@playwright/test";

export interface VisitOptions {
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
  /** Chromium's flags instead of the ones that give WebGPU on SwiftShader. */
  readonly args?: readonly string[];
}

/** A browser with this test's own profile folder: what one visit stores, the next one finds. */
export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  close(): Promise<void>;
}

interface Fixtures {
  /** Serves the built page (or another folder) until the test ends. */
  readonly serve: (options?: Partial<StaticServerOptions>) => Promise<StaticServer>;
  readonly visit: (options?: VisitOptions) => Promise<Visit>;
  /** A folder that is deleted after the test. */
  readonly scratch: string;
}

/** Playwright's test with a server, a browser profile and a scratch folder for each test. */
export const test = base.extend<Fixtures, { readonly built: undefined }>({
  built: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures from this pattern
    async ({}, use) => {
      execFileSync(process.execPath, [repositoryPath("scripts/build.mjs")], { stdio: "inherit" });
      await use(undefined);
    },
    { scope: "worker", timeout: 120_000 },
  ],

  // biome-ignore lint/correctness/noEmptyPattern: as above
  scratch: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "gpt-oss-webgpu-e2e-"));
    await use(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  },

  serve: async ({ built: _ }, use) => {
    const servers: StaticServer[] = [];
    await use(async (options = {}) => {
      const server = await createStaticServer({ root: repositoryPath("dist/page"), ...options });
      servers.push(server);
      return server;
    });
    await Promise.all(servers.map((server) => server.close()));
  },

  visit: async ({ scratch, launchOptions, channel }, use, testInfo) => {
    const visits: Visit[] = [];
    await use(async ({ colorScheme = "light", width = 1280, height = 800, args } = {}) => {
      const context = await chromium.launchPersistentContext(join(scratch, "profile"), {
        ...launchOptions,
        ...(args === undefined ? {} : { args: [...args] }),
        ...(channel === undefined ? {} : { channel }),
        colorScheme,
        viewport: { width, height },
      });
      const page = context.pages()[0] ?? (await context.newPage());
      const visit = { context, page, close: () => context.close() };
      visits.push(visit);
      return visit;
    });
    for (const [index, { page, close }] of visits.entries()) {
      if (testInfo.status !== testInfo.expectedStatus && !page.isClosed()) {
        await page.screenshot({ path: testInfo.outputPath(`visit-${index}.png`) }).catch(() => {});
      }
      await close();
    }
  },
});
