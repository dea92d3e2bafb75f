import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";
import { chromiumArgs } from "./scripts/lib/browser.mjs";

// `npm test` names a Chromium in CHROMIUM. Without one, Debian's is taken, else Playwright's own.
const debianChromium = "/usr/bin/chromium";
const executablePath = process.env.CHROMIUM ?? (existsSync(debianChromium) ? debianChromium : undefined);

// Tests start their own server (scripts/lib/static-server.mjs), because each wants other faults.
export default defineConfig({
  testDir: "e2e",
  outputDir: "e2e/results/artifacts",
  timeout: 180_000,
  expect: { timeout: 30_000 },
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  reporter: [["list"], ["json", { outputFile: "e2e/results/report.json" }]],
  use: {
    headless: true,
    launchOptions: {
      args: chromiumArgs("swiftshader"),
      ...(executablePath === undefined ? {} : { executablePath }),
    },
    ...(executablePath === undefined ? { channel: "chromium" } : {}),
    screenshot: "only-on-failure",
  },
});
