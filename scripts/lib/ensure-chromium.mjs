import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { LauncherError } from "./fail.mjs";
import { run, runNode } from "./run.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * Path of a Chromium that starts; installs one where there is none: by apt-get as root, otherwise through
 * Playwright. The environment variable CHROMIUM names one and then nothing else is tried.
 * @returns {Promise<string>}
 * @throws LauncherError where none can be had
 */
export async function ensureChromium() {
  const found = await findChromium();
  if (found !== undefined) return found;
  for (const install of [installByApt, installByPlaywright]) {
    if (!(await install())) continue;
    const installed = await findChromium();
    if (installed !== undefined) return installed;
  }
  throw new LauncherError(
    "No Chromium was found, and neither apt-get nor Playwright could install one: install Chromium or Google Chrome, or name one in the environment variable CHROMIUM.",
  );
}

/**
 * Path of an installed Chromium that starts, or undefined.
 * @returns {Promise<string | undefined>}
 * @throws LauncherError where CHROMIUM names something that does not start
 */
export async function findChromium() {
  const named = process.env.CHROMIUM;
  if (named) {
    if (starts(named)) return named;
    throw new LauncherError(
      `The environment variable CHROMIUM names ${named}, which does not start: correct it or unset it.`,
    );
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = names.flatMap((name) => [...folders, "/usr/bin"].map((folder) => join(folder, name)));
  candidates.push("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
  const own = await playwrightChromium();
  if (own !== undefined) candidates.push(own);
  return candidates.find((candidate) => existsSync(candidate) && starts(candidate));
}

/**
 * Some distributions ship a stub that only asks to install a snap, so being there is not enough.
 * @param {string} executable
 */
function starts(executable) {
  const probe = spawnSync(executable, ["--version"], { stdio: "ignore", timeout: 30_000 });
  return probe.status === 0;
}

async function playwrightChromium() {
  try {
    const { chromium } = await import("playwright");
    return chromium.executablePath();
  } catch {
    return undefined; // the packages are not installed yet
  }
}

async function installByApt() {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  if (spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status !== 0) return false;
  console.error("Installing Chromium (apt-get install chromium) …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = /** @type {const} */ ({ env, stdout: "ignore" }); // hundreds of lines; errors go to stderr
  await run("apt-get", ["update", "-q"], options); // a stale list may still do
  const packages = ["chromium", "fonts-liberation"]; // without a font, headless pages have no text
  return (
    (await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], options)) === 0
  );
}

async function installByPlaywright() {
  console.error("Installing Chromium (playwright install chromium) …");
  return (await runNode("node_modules/playwright/cli.js", ["install", "chromium"])) === 0;
}
