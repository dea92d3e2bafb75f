import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LauncherError } from "./fail.mjs";
import { withLock } from "./lock.mjs";
import { root } from "./root.mjs";
import { run } from "./run.mjs";

/** The lowest Node that runs this project, as [major, minor]. */
const lowestNode = /** @type {const} */ ([20, 19]);

/** Installs the packages of package-lock.json where node_modules lacks one or has another version. */
export async function ensureInstalled() {
  checkNode(process.versions.node);
  if (isInstalled(root)) return;
  await withLock("install", async () => {
    if (isInstalled(root)) return;
    console.error("Installing packages (npm ci) …");
    if ((await npm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=warn"])) === 0) return;
    console.error("npm ci failed; trying npm install …");
    const code = await npm(["install", "--include=dev", "--no-audit", "--no-fund", "--loglevel=warn"]);
    if (code !== 0) {
      throw new LauncherError(
        `The packages cannot be installed: npm install ended with code ${code}. Check the network and npm's registry setting, then run the command again.`,
      );
    }
  });
}

/**
 * Throws one sentence where this Node is too old.
 * @param {string} version e.g. "20.19.0"
 */
export function checkNode(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > lowestNode[0] || (major === lowestNode[0] && minor >= lowestNode[1])) return;
  throw new LauncherError(
    `gpt-oss-webgpu needs Node ${lowestNode.join(".")} or newer, and this is Node ${version}: install a newer Node (https://nodejs.org) and run the command again.`,
  );
}

/**
 * True where node_modules holds what package-lock.json names. npm's own record of an install is compared, so
 * that an interrupted install, a changed lock and a removed package all count as not installed.
 * @param {string} folder a project folder
 */
export function isInstalled(folder) {
  const wanted = readPackages(join(folder, "package-lock.json"));
  const present = readPackages(join(folder, "node_modules/.package-lock.json"));
  if (wanted === undefined || present === undefined) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "") continue;
    const installed = present[path];
    if (installed === undefined) {
      if (!entry.optional) return false;
    } else if (installed.version !== entry.version || installed.integrity !== entry.integrity) {
      return false;
    } else if (!existsSync(join(folder, path, "package.json"))) {
      return false;
    }
  }
  return true;
}

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage */

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** @param {string[]} args */
function npm(args) {
  const cli = process.env.npm_execpath ?? "";
  if (/npm-cli\.c?js$/.test(cli) && existsSync(cli)) return run(process.execPath, [cli, ...args]);
  const beside = join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js"); // where npm lies on Windows
  if (existsSync(beside)) return run(process.execPath, [beside, ...args]);
  return run("npm", args);
}
