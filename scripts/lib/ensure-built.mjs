import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LauncherError } from "./fail.mjs";
import { withLock } from "./lock.mjs";
import { root } from "./root.mjs";
import { runNode } from "./run.mjs";

/** @typedef {"page" | "lib" | "node"} Target */

const shared = ["src", "package.json", "package-lock.json", "tsconfig.json", "scripts/vite"];

/** @type {Readonly<Record<Target, { config: string, inputs: string[], output: string }>>} */
const targets = {
  page: {
    config: "vite.config.ts",
    inputs: ["demo", "bench", "models", "vite.config.ts", "*.html"],
    output: "index.html",
  },
  lib: { config: "scripts/vite/lib.config.mjs", inputs: ["scripts/tsconfig.types.json"], output: "index.js" },
  node: { config: "scripts/vite/node.config.mjs", inputs: [], output: "cli.mjs" },
};

/**
 * Builds the targets whose sources have changed since their last build, into dist/<target>; logs go to stderr.
 * @param {...Target} wanted
 * @throws LauncherError where a build fails
 */
export async function ensureBuilt(...wanted) {
  for (const target of wanted) {
    if (isFresh(target)) continue;
    await withLock(`build-${target}`, async () => {
      if (!isFresh(target)) await build(target);
    });
  }
}

/**
 * Builds beside the old output and swaps at the end, so that a failed build leaves the old one and nobody
 * sees half of a new one.
 * @param {Target} target
 */
async function build(target) {
  const { config, output } = targets[target];
  const stamp = fingerprint(target); // before the build: an edit during it makes the next run build again
  const outDir = join(root, "dist", `.new-${target}`);
  console.error(`Building dist/${target} …`);
  const args = ["build", "--config", config, "--outDir", outDir, "--logLevel", "warn"];
  await must(target, runNode("node_modules/vite/bin/vite.js", args));
  if (!existsSync(join(outDir, output))) {
    throw new LauncherError(`Building dist/${target} ended well, but its ${output} is missing.`);
  }
  if (target === "lib") await buildTypes();
  writeFileSync(join(outDir, ".stamp"), stamp);
  swap(outDir, join(root, "dist", target));
}

async function buildTypes() {
  const outDir = join(root, "dist/.new-types");
  const args = ["-p", "scripts/tsconfig.types.json", "--outDir", outDir];
  await must("lib", runNode("node_modules/typescript/bin/tsc", args));
  swap(outDir, join(root, "dist/types"));
}

/**
 * @param {Target} target
 * @param {Promise<number>} exitCode
 */
async function must(target, exitCode) {
  const code = await exitCode;
  if (code !== 0)
    throw new LauncherError(`Building dist/${target} failed with code ${code}; the messages above say why.`);
}

/**
 * @param {string} from
 * @param {string} to
 */
function swap(from, to) {
  rmSync(to, { recursive: true, force: true });
  renameSync(from, to);
}

/** @param {Target} target */
function isFresh(target) {
  const folder = join(root, "dist", target);
  const outputs = [
    join(folder, targets[target].output),
    ...(target === "lib" ? [join(root, "dist/types")] : []),
  ];
  if (!outputs.every((path) => existsSync(path))) return false;
  const stamp = join(folder, ".stamp");
  return existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint(target);
}

/** @param {Target} target */
function fingerprint(target) {
  const hash = createHash("sha256");
  for (const path of [...shared, ...targets[target].inputs].flatMap(expand).sort()) addFile(hash, path);
  return hash.digest("hex");
}

/**
 * Files, relative to the root, that an input names. Tests do not count; the references do, which the bench runs.
 * @param {string} input a file, a folder, or `*.ext` at the top
 * @returns {string[]}
 */
function expand(input) {
  if (input.startsWith("*")) return readdirSync(root).filter((name) => name.endsWith(input.slice(1)));
  const facts = statSync(join(root, input), { throwIfNoEntry: false });
  if (facts === undefined) return [];
  if (!facts.isDirectory()) return /\.test\.\w+$/.test(input) ? [] : [input];
  return readdirSync(join(root, input)).flatMap((name) => expand(`${input}/${name}`));
}

/**
 * @param {import("node:crypto").Hash} hash
 * @param {string} path
 */
function addFile(hash, path) {
  const bytes = readFileSync(join(root, path));
  hash.update(`${path}\n${bytes.length}\n`).update(bytes);
}
