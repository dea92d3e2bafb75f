import { createRequire } from "node:module";
import type * as Playwright from "playwright-core";
import { chromiumArgs } from "../lib/browser.mjs";

/** A browser with a profile folder, showing the proof's page. */
export interface ProofBrowser {
  readonly context: Playwright.BrowserContext;
  readonly page: Playwright.Page;
}

export interface BrowserOptions {
  /** Chromium's program. */
  readonly executablePath: string;
  readonly profile: string;
  readonly url: string;
  /** Chromium's flags for the machine's GPU; undefined takes SwiftShader. */
  readonly gpuFlags: readonly string[] | undefined;
}

/** playwright-core from node_modules or NODE_PATH: a plain program that was carried to another machine has only the latter. */
function playwright(): typeof Playwright {
  return createRequire(import.meta.url)("playwright-core") as typeof Playwright;
}

export async function openBrowser(options: BrowserOptions): Promise<ProofBrowser> {
  const { executablePath, profile, url, gpuFlags } = options;
  const context = await playwright().chromium.launchPersistentContext(profile, {
    executablePath,
    timeout: 120_000,
    ...(gpuFlags === undefined
      ? { headless: true, args: chromiumArgs("swiftshader") }
      : {
          // Playwright's own headless flags keep the GPU out; the given flags say --headless=new.
          headless: false,
          args: [...gpuFlags],
          ignoreDefaultArgs: ["--headless", "--disable-gpu", "--enable-unsafe-swiftshader"],
        }),
  });
  context.setDefaultTimeout(0);
  const page = context.pages()[0] ?? (await context.newPage());
  page.on("console", (message) => {
    if (message.type() === "error") process.stderr.write(`page: ${message.text()}\n`);
  });
  await page.goto(url);
  await page.waitForFunction(() => "trip" in globalThis);
  return { context, page };
}
