import { readdirSync, readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import type * as Library from "../src/index.ts";
import { type HubServer, startHubServer } from "../src/testing/hub-server.ts";
import { readReference, repositoryPath } from "../src/testing/reference.ts";
import { expect, test } from "./support/test.ts";

// Where checkpoints come from, in a real browser: a hub with redirects, picked files, a folder handle, storage.

/** Runs in the page. */
declare global {
  var library: typeof Library;
  var engine: Library.WorkerEngine;
}

const name = "tiny-sharded";
const folder = repositoryPath(`fixtures/${name}`);
const fileNames = readdirSync(folder).filter((file) => !file.startsWith("reference"));
const [prompt] = readReference(folder);
const expected = prompt?.greedy.slice(0, 4);

const mounts = { "/lib/": repositoryPath("dist/lib"), "/fixtures/": repositoryPath("fixtures") };
const root = repositoryPath("e2e/harness");

async function openPage(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.evaluate(async () => {
    const address = "/lib/index.js";
    globalThis.library = (await import(address)) as typeof Library;
    globalThis.engine = library.createWorkerEngine();
  });
}

/** The first tokens of the fixture's prompt with what the page has loaded. */
const greedy = (page: Page): Promise<number[]> =>
  page.evaluate(
    async (tokens) => {
      const made: number[] = [];
      for await (const token of engine.generate(tokens, { maxNewTokens: 4, temperature: 0, stopTokens: [] }))
        made.push(token);
      return made;
    },
    [...(prompt?.tokens ?? [])],
  );

test("a folder: picked files in place, imported and loaded by id, and a handle", async ({ serve, visit }) => {
  const server = await serve({ root, mounts });
  const { page } = await visit();
  await openPage(page, server.url);
  await page.evaluate(() => {
    document.body.innerHTML = '<input type="file" webkitdirectory multiple>';
  });
  await page.locator("input").setInputFiles(folder);
  const load = (source: Record<string, unknown>) =>
    page.evaluate(async (more) => {
      const { files } = document.querySelector("input") ?? {};
      const picked = "stored" in more ? {} : { files: [...(files ?? [])] };
      const info = await engine.load({ ...picked, ...more } as Library.ModelSource, { contextLength: 256 });
      return info.model.id;
    }, source);

  const id = await load({});
  expect(id).toMatch(new RegExp(`^folder:${name}#`));
  expect(await greedy(page)).toEqual(expected);
  expect(await page.evaluate(() => engine.models()), "nothing is stored of files read in place").toEqual([]);

  expect(await load({ import: true })).toBe(id);
  await page.reload(); // the picked files are gone
  await openPage(page, server.url);
  const stored = await page.evaluate(() => engine.models());
  expect(stored.map((model) => [model.id, model.ready])).toEqual([[id, true]]);
  expect(await load({ stored: id })).toBe(id);
  expect(await greedy(page)).toEqual(expected);

  const handleId = await page.evaluate(async (names) => {
    const directory = await (await navigator.storage.getDirectory()).getDirectoryHandle("picked", {
      create: true,
    });
    for (const file of names) {
      const writable = await (await directory.getFileHandle(file, { create: true })).createWritable();
      await (await fetch(`/fixtures/tiny-sharded/${file}`)).body?.pipeTo(writable);
    }
    return (await engine.load({ directory }, { contextLength: 256 })).model.id;
  }, fileNames);
  expect(handleId).toMatch(/^folder:picked#/);
  expect(await greedy(page)).toEqual(expected);
  expect(server.requests.some(({ path }) => path === `/fixtures/${name}/config.json`)).toBe(true);
});

test.describe("a hub", () => {
  let hub: HubServer;
  test.beforeEach(async () => {
    hub = await startHubServer();
    hub.repos.set("org/tiny", {
      revisions: new Map([["main", "e".repeat(40)]]),
      files: new Map(fileNames.map((file) => [file, new Uint8Array(readFileSync(`${folder}/${file}`))])),
      large: new Set(fileNames.filter((file) => file.endsWith(".safetensors"))),
      token: "hf_secret",
    });
  });
  test.afterEach(() => hub.close());

  test("is asked before a download what the model needs; then it is loaded at its commit, and never asked again", async ({
    serve,
    visit,
  }) => {
    const server = await serve({ root, mounts });
    const { page } = await visit();
    await openPage(page, server.url);
    const source = { hf: "hf:org/tiny", endpoint: hub.endpoint, token: "hf_secret" };

    const report = await page.evaluate((asked) => engine.capabilities(asked), source);
    expect(report).toMatchObject({ canLoad: true, model: { numLayers: 3, numExperts: 16 } });
    expect(report.adapter?.limits.maxBufferSize).toBeGreaterThan(2 ** 27);
    expect(await page.evaluate(() => engine.models())).toEqual([]);

    const load = (asked: Library.ModelSource) =>
      page.evaluate(async (it) => (await engine.load(it, { contextLength: 256 })).model.id, asked);
    expect(await load(source)).toBe(`hf:org/tiny@${"e".repeat(40)}`);
    expect(await greedy(page)).toEqual(expected);
    const sent = (host: string) =>
      new Set(hub.requests.filter((seen) => seen.host === host).map(({ authorization }) => authorization));
    expect(sent("hub")).toEqual(new Set(["Bearer hf_secret"]));
    expect(sent("files"), "the token stays with the hub").toEqual(new Set([undefined]));
    const kept = await page.evaluate(async () => JSON.stringify(await engine.models()));
    expect(kept).not.toContain("hf_secret");

    hub.requests.length = 0;
    await openPage(page, server.url);
    await load({ hf: "org/tiny", endpoint: hub.endpoint });
    expect(await greedy(page)).toEqual(expected);
    expect(hub.requests, "what is stored needs no request, nor a token").toEqual([]);
  });
});
