// npm test [-- --only check|unit|gpu|e2e]: installs what is missing and runs every test; stops at the first failure.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureBuilt } from "./lib/ensure-built.mjs";
import { ensureChromium } from "./lib/ensure-chromium.mjs";
import { ensureInstalled } from "./lib/ensure-installed.mjs";
import { LauncherError, runMain } from "./lib/fail.mjs";
import { root } from "./lib/root.mjs";
import { runNode } from "./lib/run.mjs";
import { readReport, stageFailure } from "./lib/test-report.mjs";

/** @typedef {{ passed: number, failed: number }} Totals */
/** @typedef {{ name: string, only: string[], run: (totals: Totals) => Promise<string | undefined> }} Stage `run` says why it failed */

/** @type {Stage[]} */
const stages = [
  { name: "install", only: ["check", "unit", "gpu", "e2e"], run: () => prepare(ensureInstalled) },
  { name: "chromium", only: ["gpu", "e2e"], run: () => prepare(nameChromium) },
  { name: "check", only: ["check"], run: check },
  { name: "unit", only: ["unit"], run: (totals) => vitest("unit", totals) },
  { name: "gpu", only: ["gpu"], run: (totals) => vitest("gpu", totals) },
  { name: "build", only: ["e2e"], run: () => prepare(() => ensureBuilt("page", "lib", "node")) },
  { name: "e2e", only: ["e2e"], run: playwright },
];

/**
 * @param {() => Promise<void>} action
 * @returns {Promise<undefined>}
 */
async function prepare(action) {
  await action();
  return undefined;
}

async function nameChromium() {
  process.env.CHROMIUM = await ensureChromium();
  console.log(`Chromium: ${process.env.CHROMIUM}`);
}

async function check() {
  const tsc = "node_modules/typescript/bin/tsc";
  const commands = [
    { tool: "tsc", file: tsc, args: ["--noEmit"] },
    { tool: "tsc -p scripts", file: tsc, args: ["-p", "scripts"] },
    {
      tool: "biome check",
      file: "node_modules/@biomejs/biome/bin/biome",
      args: ["check", "--error-on-warnings", "."],
    },
  ];
  for (const { tool, file, args } of commands) {
    if ((await runNode(file, args, { stdout: "inherit" })) !== 0) return `${tool} found faults`;
  }
  return undefined;
}

/**
 * @param {"unit" | "gpu"} project
 * @param {Totals} totals
 */
function vitest(project, totals) {
  const report = join(root, `dist/test-results/${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = ["run", "--project", project, "--allowOnly=false", ...reporters];
  return runTests("node_modules/vitest/vitest.mjs", args, report, totals);
}

/** @param {Totals} totals */
function playwright(totals) {
  const report = join(root, "e2e/results/report.json"); // playwright.config.ts writes it there
  return runTests("node_modules/@playwright/test/cli.js", ["test"], report, totals);
}

/**
 * @param {string} file
 * @param {string[]} args
 * @param {string} report
 * @param {Totals} totals
 */
async function runTests(file, args, report, totals) {
  rmSync(report, { force: true });
  const exitCode = await runNode(file, args, { stdout: "inherit" });
  const counts = readReport(report);
  totals.passed += counts.passed;
  totals.failed += counts.failed;
  return stageFailure(exitCode, counts);
}

const usage =
  "npm test [-- --only check|unit|gpu|e2e]: runs every test, or one part; stops at the first failure.";

/** @returns {Stage[] | undefined} undefined where help is wanted */
function wantedStages() {
  const { values } = parseArgs({ options: { only: { type: "string" }, help: { type: "boolean" } } });
  const { only } = values;
  if (values.help) return undefined;
  if (only === undefined) return stages;
  const wanted = stages.filter((stage) => stage.only.includes(only));
  if (wanted.length > 0) return wanted;
  throw new LauncherError(`--only must be check, unit, gpu or e2e, and this is ${only}.`, 2);
}

/**
 * @param {Stage} stage
 * @param {Totals} totals
 * @returns {Promise<string | undefined>} why it failed
 */
async function runStage(stage, totals) {
  try {
    return await stage.run(totals);
  } catch (error) {
    if (error instanceof LauncherError) return error.message;
    throw error;
  }
}

await runMain(async () => {
  const wanted = wantedStages();
  if (wanted === undefined) return console.log(usage);
  const totals = { passed: 0, failed: 0 };
  /** @type {string[]} */
  const times = [];
  /** @type {string[]} */
  let notRun = [];
  for (const stage of wanted) {
    console.log(`\n── ${stage.name}`);
    const startMs = performance.now();
    const failure = await runStage(stage, totals);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1).padStart(7);
    times.push(`${stage.name.padEnd(9)}${seconds} s  ${failure === undefined ? "ok" : "FAILED"}`);
    if (failure === undefined) continue;
    if (totals.failed === 0) totals.failed = 1; // the stage itself
    process.exitCode = 1;
    console.log(`\nStage ${stage.name} failed: ${failure}`);
    notRun = wanted.slice(wanted.indexOf(stage) + 1).map(({ name }) => name);
    break;
  }
  console.log(`\n${times.join("\n")}\n`);
  if (notRun.length > 0) console.log(`not run: ${notRun.join(", ")}\n`);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
});
