import { rmSync } from "node:fs";
import type { StaticServer } from "../lib/static-server.mjs";
import { openBrowser, type ProofBrowser } from "./browser.ts";
import { floatsOf } from "./compare.ts";
import type { WrittenCheckpoint } from "./generate.ts";
import { watchMemory } from "./memory.ts";
import type { trip as Trip, TripModel } from "./page/trip.ts";
import { killBrowser } from "./processes.ts";
import type { ProofShape } from "./shape.ts";

/** The page's functions, in its own scope. */
declare global {
  var trip: typeof Trip;
}

export interface TripOptions {
  readonly shape: ProofShape;
  readonly written: WrittenCheckpoint;
  readonly server: StaticServer;
  readonly store: "indexeddb" | "opfs";
  readonly profile: string;
  readonly executablePath: string;
  readonly gpuFlags: readonly string[] | undefined;
  /** Slows the weights of requests from now on; undefined: as fast as they go. */
  readonly setRate: (bytesPerSecond: number | undefined) => void;
  /** Called with each finding as it is made, so that a run that is cut short still tells. */
  readonly report: (name: string, value: unknown) => void;
  readonly check: (name: string, ok: boolean, detail?: unknown) => void;
  readonly say: (sentence: string) => void;
  readonly uploadRate: number | undefined;
  /** Numbers of reading workers to read with, beside the library's own. */
  readonly readers: readonly number[];
}

const gigabytes = (bytes: number, seconds: number) => bytes / 1e9 / seconds;

/** Bytes of weights that were asked for, without the two-byte questions for sizes. */
export function askedBytes(server: StaticServer, from: number): number {
  return server.requests
    .slice(from)
    .filter(({ path }) => path.endsWith(".safetensors"))
    .map(({ range }) => /^bytes=(\d+)-(\d+)$/.exec(range ?? ""))
    .map((match) => Number(match?.[2]) - Number(match?.[1]) + 1)
    .filter((bytes) => bytes > 2)
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** One store's way: download, kill half-way, resume, verify, load, decode, and a warm start. */
export async function tripStage(options: TripOptions): Promise<{ tokens: number[]; logits: Float32Array }> {
  const { shape, written, server, store, profile, report, say } = options;
  rmSync(profile, { recursive: true, force: true });
  const model: TripModel = {
    baseUrl: new URL("model/", server.url).href,
    store,
    contextLength: shape.contextLength,
    ...(shape.chunkBytes !== undefined && { chunkBytes: shape.chunkBytes }),
  };
  const memory = watchMemory(profile);
  const open = async (): Promise<ProofBrowser> => {
    const browser = await openBrowser({ ...options, url: server.url });
    await memory.watchPage(browser.page).catch(() => {});
    return browser;
  };
  try {
    memory.phase("download");
    const loadedBytes = await downloadHalf(options, await open(), model);
    const browser = await open();
    const id = await resume(options, browser, model, loadedBytes);
    memory.phase("verify");
    const verified = await browser.page.evaluate((name) => trip.verify(name), id);
    report("verify", { ...verified, gigabytesPerSecond: gigabytes(written.totalBytes, verified.seconds) });
    options.check(`${store}: every stored byte matches`, verified.ok);
    say(`${store}: verified in ${verified.seconds.toFixed(1)} s`);
    memory.phase("load");
    const answer = await loadAndAsk(options, browser, model, "load");
    memory.phase("warm start");
    const page = browser.page;
    await page.reload();
    await page.waitForFunction(() => "trip" in globalThis);
    await memory.watchPage(page).catch(() => {});
    const warm = await loadAndAsk(options, browser, model, "warmStart");
    options.check(`${store}: a warm start gives the same tokens`, same(answer.tokens, warm.tokens));
    memory.phase("read alone");
    await readAlone(options, browser, warm.gigabytesPerSecond);
    await page.evaluate((name) => trip.remove(name), id).catch(() => {});
    await browser.context.close();
    return answer;
  } finally {
    report("memory", memory.stop());
    await killBrowser(profile);
    rmSync(profile, { recursive: true, force: true });
  }
}

const same = (a: readonly unknown[], b: readonly unknown[]) => JSON.stringify(a) === JSON.stringify(b);

/** Downloads until half is there, then ends the browser. @returns the bytes that had arrived */
async function downloadHalf(options: TripOptions, { page }: ProofBrowser, model: TripModel): Promise<number> {
  const { written, shape, say, store, report, profile } = options;
  options.setRate(shape.bytesPerSecond);
  const started = performance.now();
  const ended = page
    .evaluate((m) => trip.download(m), model)
    .then(
      () => "complete",
      (error: unknown) => String(error),
    );
  let loadedBytes = 0;
  let end: string | undefined;
  void ended.then((how) => {
    end = how;
  });
  while (loadedBytes < written.totalBytes / 2 && end === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    ({ loadedBytes = 0 } = await page.evaluate(() => trip.progress()));
  }
  if (end !== undefined) throw new Error(`the download ended before its half: ${end}`);
  const seconds = (performance.now() - started) / 1000;
  const killed = await killBrowser(profile);
  options.setRate(undefined);
  const rate = gigabytes(loadedBytes, seconds);
  report("download", { loadedBytes, seconds, gigabytesPerSecond: rate, killedProcesses: killed });
  say(
    `${store}: ${(loadedBytes / 1e9).toFixed(2)} GB at ${rate.toFixed(2)} GB/s, then ${killed} processes killed`,
  );
  return loadedBytes;
}

/** Goes on where the browser died, and counts what is asked for again. */
async function resume(
  options: TripOptions,
  { page }: ProofBrowser,
  model: TripModel,
  loadedBytes: number,
): Promise<string> {
  const { written, server, store, report, say } = options;
  const [before] = await page.evaluate(() => trip.models());
  const storedBytes = before?.storedBytes ?? 0;
  const from = server.requests.length;
  const { seconds } = await page.evaluate((m) => trip.download(m), model);
  const askedFor = askedBytes(server, from);
  const missing = written.totalBytes - storedBytes;
  const [after] = await page.evaluate(() => trip.models());
  const rate = gigabytes(missing, seconds);
  report("resume", { storedBytes, missing, askedBytes: askedFor, seconds, gigabytesPerSecond: rate });
  say(
    `${store}: resumed with ${(storedBytes / 1e9).toFixed(2)} GB stored, the rest at ${rate.toFixed(2)} GB/s`,
  );
  // What was on its way: four connections with two chunks each.
  const inFlightBytes = 8 * (model.chunkBytes ?? 16 * 1024 * 1024);
  options.check(
    `${store}: the kill lost only what was on its way`,
    storedBytes > 0 && loadedBytes - storedBytes <= inFlightBytes,
    { loadedBytes, storedBytes },
  );
  // Headers of the files may be asked for anew, where their chunks were not stored.
  const slackBytes = 256 * 1024 * written.files.length;
  options.check(`${store}: no stored chunk is fetched again`, askedFor <= missing + slackBytes, {
    askedFor,
    missing,
  });
  options.check(`${store}: complete`, after?.ready === true && after.store === store, after);
  return after?.id ?? "";
}

/** Loads from the store, decodes greedily, and computes the prompt's logits; times count from the navigation. */
async function loadAndAsk(
  options: TripOptions,
  { page }: ProofBrowser,
  model: TripModel,
  name: "load" | "warmStart",
) {
  const { server, report, say, shape, store } = options;
  const from = server.requests.length;
  const { info, seconds, sinceNavigationSeconds } = await page.evaluate((m) => trip.load(m), model);
  const answer = await page.evaluate(([prompt, count]) => trip.answer(prompt, count), [
    shape.prompt,
    shape.newTokens,
  ] as const);
  const weightRequests = askedBytes(server, from);
  report(name, {
    adapter: info.adapter,
    load: info.load,
    loadSeconds: seconds,
    ...(name === "warmStart" && {
      readySeconds: sinceNavigationSeconds,
      firstTokenSeconds: answer.firstTokenSeconds,
    }),
    stats: answer.stats,
  });
  options.check(`${store}: ${name} needs no request for weights`, weightRequests === 0, weightRequests);
  const { gigabytesPerSecond } = info.load;
  say(
    `${store}: ${name} in ${seconds.toFixed(1)} s (${gigabytesPerSecond.toFixed(2)} GB/s), first token ${answer.firstTokenSeconds.toFixed(1)} s after the navigation`,
  );
  const logits = floatsOf(await page.evaluate((prompt) => trip.logits(prompt), shape.prompt));
  return { tokens: answer.tokens, logits, gigabytesPerSecond };
}

/** What the store gives where nothing is done with it: the load is measured against the slower of this and the upload. */
async function readAlone(options: TripOptions, { page }: ProofBrowser, loadRate: number): Promise<void> {
  const { store, report, say, uploadRate } = options;
  await page.evaluate(() => trip.dispose());
  const verify = "sampled" as const; // the library's own default
  const rateWith = async (numWorkers: number | undefined) => {
    const request = { kind: "read", store, verify, numWorkers } as const;
    const { rate } = await page.evaluate((asked) => trip.direct(asked), request);
    if (rate === undefined) throw new Error("no rate");
    return rate;
  };
  const rate = await rateWith(undefined);
  for (const numWorkers of options.readers) {
    const { gigabytesPerSecond } = await rateWith(numWorkers);
    report(`readAlone with ${numWorkers} reading workers`, gigabytesPerSecond);
    say(`${store}: reading alone with ${numWorkers} reading workers: ${gigabytesPerSecond.toFixed(2)} GB/s`);
  }
  const slower = Math.min(rate.gigabytesPerSecond, uploadRate ?? Number.POSITIVE_INFINITY);
  report("readAlone", { ...rate, verify, uploadRate, shareOfSlower: loadRate / slower });
  say(
    `${store}: reading alone ${rate.gigabytesPerSecond.toFixed(2)} GB/s; the load reaches ${((100 * loadRate) / slower).toFixed(0)} % of the slower of reading and uploading`,
  );
}
