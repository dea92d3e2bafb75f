// node dist/full-size/prove.mjs: writes a checkpoint of a published shape, serves it, and takes it through a real Chromium:
// download, kill, resume, verify, load, decode; from IndexedDB, then from OPFS. Prints one JSON. See --help.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createStaticServer, type StaticServer } from "../lib/static-server.mjs";
import { openBrowser } from "./browser.ts";
import { compareLogits, floatsOf } from "./compare.ts";
import { downloadStage } from "./download-stage.ts";
import { type WrittenCheckpoint, writeCheckpoint } from "./generate.ts";
import { nodeStage } from "./node-stage.ts";
import { killBrowser } from "./processes.ts";
import { proofShape, type ShapeName, shapeNames } from "./shape.ts";
import { tripStage } from "./trip-stage.ts";

/** `generate` always takes place. */
const stageNames = ["generate", "node", "upload", "direct", "indexeddb", "opfs", "download"] as const;
type StageName = (typeof stageNames)[number];
/** What takes place where no stages are asked for. */
const usualStages = stageNames.filter((name) => name !== "download");

const usage = `usage: node dist/full-size/prove.mjs [--shape ${shapeNames.join("|")}] [--layers N] [--stages ${stageNames.join(",")}]
  [--dir FOLDER] [--budget SECONDS] [--out FILE] [--chromium PROGRAM] [--keep] [--readers N,N]
Writes the checkpoint into FOLDER/model (default /tmp/gpt-oss-full-size), where --keep leaves it for the next run.
--readers: stores are also read alone with these numbers of reading workers (0: on the thread that loads).
Chromium: --chromium, else the environment variable CHROMIUM, else /usr/bin/chromium. With CHROMIUM_GPU_FLAGS (its
flags for the GPU, separated by spaces) it runs on the GPU, and Node too; without, both on SwiftShader.
What was found before the budget (default 520 s) ran out is printed in any case; the exit status is 1 where a check failed.`;

const { values: args } = parseArgs({
  options: {
    shape: { type: "string", default: "tiny" },
    layers: { type: "string" },
    stages: { type: "string", default: usualStages.join(",") },
    dir: { type: "string", default: "/tmp/gpt-oss-full-size" },
    budget: { type: "string", default: "520" },
    out: { type: "string" },
    chromium: { type: "string", default: process.env.CHROMIUM ?? "/usr/bin/chromium" },
    keep: { type: "boolean", default: false },
    readers: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});
if (args.help) {
  console.log(usage);
  process.exit(0);
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  console.error(`--${name}: expected one of ${known.join(", ")}, got ${value}\n${usage}`);
  process.exit(2);
}

const shapeName: ShapeName = oneOf("shape", args.shape, shapeNames);
const stages = args.stages.split(",").map((stage): StageName => oneOf("stages", stage, stageNames));
const shape = proofShape(shapeName, args.layers === undefined ? undefined : Number(args.layers));
const gpuFlags = process.env.CHROMIUM_GPU_FLAGS?.split(/\s+/).filter((flag) => flag !== "");
const here = dirname(fileURLToPath(import.meta.url));
const dir = resolve(args.dir);
const profile = join(dir, "profile");
const modelFolder = join(dir, "model");
const started = performance.now();

const result: Record<string, unknown> = { shape: shapeName, layers: shape.config.num_hidden_layers };
const checks: { name: string; ok: boolean; detail?: unknown }[] = [];
const errors: string[] = [];
const elapsed = () => (performance.now() - started) / 1000;
const say = (sentence: string) =>
  process.stderr.write(`${elapsed().toFixed(1).padStart(6)} s  ${sentence}\n`);
const check = (name: string, ok: boolean, detail?: unknown) => {
  checks.push({ name, ok, ...(!ok && detail !== undefined && { detail }) });
  if (!ok) say(`FAILED: ${name} ${JSON.stringify(detail)}`);
};

function finish(): never {
  const ok = errors.length === 0 && checks.every((one) => one.ok);
  const text = JSON.stringify({ ...result, checks, errors, seconds: elapsed(), ok }, undefined, 2);
  if (args.out !== undefined) {
    mkdirSync(dirname(resolve(args.out)), { recursive: true });
    writeFileSync(args.out, `${text}\n`);
  }
  console.log(text);
  if (!args.keep) rmSync(modelFolder, { recursive: true, force: true });
  process.exit(ok ? 0 : 1);
}

setTimeout(() => {
  errors.push(`the budget of ${args.budget} s ran out`);
  void killBrowser(profile).then(finish, finish);
}, Number(args.budget) * 1000).unref();

async function run<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
  say(`${name} ...`);
  try {
    return await work();
  } catch (error) {
    const text = error instanceof Error ? `${error.message}` : String(error);
    errors.push(`${name}: ${text}`);
    say(`${name} failed: ${text}`);
    return undefined;
  }
}

/** Weights at a wanted pace, from now on. */
let bytesPerSecond: number | undefined;

function serve(written: WrittenCheckpoint): Promise<StaticServer> {
  return createStaticServer({
    root: join(here, "page"),
    mounts: { "/lib/": join(here, "../lib"), "/model/": written.folder },
    onRequest: ({ path }) =>
      bytesPerSecond !== undefined && path.endsWith(".safetensors") ? { bytesPerSecond } : undefined,
  });
}

interface Answer {
  readonly tokens: readonly number[];
  readonly logits: Float32Array;
}

async function uploadStage(url: string): Promise<{ staging: number; writeBuffer: number }> {
  const { context, page } = await openBrowser({ executablePath: args.chromium, profile, url, gpuFlags });
  try {
    const rate = async (way: "staging" | "write-buffer") =>
      (
        await page.evaluate((request) => trip.direct({ kind: "upload", ...request }), {
          way,
          totalBytes: shape.uploadBytes,
        })
      ).rate?.gigabytesPerSecond ?? Number.NaN;
    return { staging: await rate("staging"), writeBuffer: await rate("write-buffer") };
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function directStage(url: string): Promise<Answer> {
  const { context, page } = await openBrowser({ executablePath: args.chromium, profile, url, gpuFlags });
  try {
    const { contextLength, prompt, newTokens: maxNewTokens } = shape;
    const baseUrl = new URL("model/", url).href;
    const answer = await page.evaluate((request) => trip.direct({ kind: "answer", ...request }), {
      ...{ baseUrl, contextLength, prompt, maxNewTokens },
    });
    result.direct = { load: answer.info?.load, adapter: answer.info?.adapter };
    if (answer.tokens === undefined || answer.logits === undefined) throw new Error("no answer");
    return { tokens: answer.tokens, logits: floatsOf(answer.logits) };
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

function compare(
  name: string,
  other: string,
  a: Answer | undefined,
  b: Answer | undefined,
  exact: boolean,
): void {
  if (a === undefined || b === undefined) return;
  const difference = compareLogits(a.logits, b.logits, shape.prompt.length);
  const sameTokens = JSON.stringify(a.tokens) === JSON.stringify(b.tokens);
  result[`${name} against ${other}`] = { ...difference, sameTokens };
  if (exact)
    check(`${name}: the logits are those of ${other}, bit for bit`, difference.identical, difference);
  // Another build of the shader compiler may order sums differently.
  else
    check(
      `${name}: the logits are those of ${other}`,
      difference.maxDifference <= 1e-3 * difference.largest,
      difference,
    );
  if (exact) check(`${name}: the tokens are those of ${other}`, sameTokens, [a.tokens, b.tokens]);
}

await run("proof", async () => {
  const written = await writeCheckpoint(modelFolder, shape);
  const { totalBytes, seconds } = written;
  result.generate = { bytes: totalBytes, seconds, gigabytesPerSecond: seconds && totalBytes / 1e9 / seconds };
  say(`${(totalBytes / 1e9).toFixed(2)} GB written in ${seconds?.toFixed(1) ?? 0} s`);
  const server = await serve(written);
  const has = (stage: StageName) => stages.includes(stage);
  const inNode = has("node")
    ? await run("node", () => nodeStage(shape, written, gpuFlags === undefined ? "swiftshader" : "auto"))
    : undefined;
  result.node = inNode?.facts;
  const upload = has("upload") ? await run("upload", () => uploadStage(server.url)) : undefined;
  result.upload = upload;
  const direct = has("direct") ? await run("direct", () => directStage(server.url)) : undefined;
  compare("direct", "node", direct, inNode, false);
  for (const store of ["indexeddb", "opfs"] as const) {
    if (!has(store)) continue;
    const found: Record<string, unknown> = {};
    result[store] = found;
    const answer = await run(store, () =>
      tripStage({
        ...{ shape, written, server, store, profile, gpuFlags, check, say },
        executablePath: args.chromium,
        setRate: (rate) => {
          bytesPerSecond = rate;
        },
        report: (name, value) => {
          found[name] = value;
        },
        uploadRate: upload?.staging,
        readers: args.readers
          .split(",")
          .filter((one) => one !== "")
          .map(Number),
      }),
    );
    compare(store, "direct", answer, direct, true);
    compare(store, "node", answer, inNode, false);
  }
  for (const store of has("download") ? (["indexeddb", "opfs"] as const) : []) {
    const options = { shape, written, server, store, profile, gpuFlags, executablePath: args.chromium };
    result[`${store} download`] = await run(`${store} download`, () => downloadStage(options));
  }
  await server.close();
});
finish();
