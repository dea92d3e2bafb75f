import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { type HubServer, startHubServer } from "../testing/hub-server.ts";
import { repositoryPath } from "../testing/reference.ts";
import { createCommitPins } from "./commit-pins.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { openSource } from "./open-source.ts";

let hub: HubServer;
beforeEach(async () => {
  hub = await startHubServer();
});
afterEach(() => hub.close());

async function addFixture(): Promise<Map<string, string>> {
  const folder = createFolderFiles(repositoryPath("fixtures/tiny-mxfp4"));
  const size = await folder.sizeBytes("model.safetensors");
  const revisions = new Map([["main", "c".repeat(40)]]);
  hub.repos.set("org/tiny", {
    revisions,
    files: new Map<string, string | Uint8Array>([
      ["config.json", (await folder.readText("config.json")) ?? ""],
      ["model.safetensors", await folder.read("model.safetensors", 0, size)],
    ]),
    large: new Set(["model.safetensors"]),
  });
  return revisions;
}

let numStores = 0;

it.each([undefined, "my model"])("a branch that is stored needs no request, with id %s", async (id) => {
  const revisions = await addFixture();
  const store = createIndexedDbStore(`pins-${numStores++}`);
  const pins = createCommitPins(store);
  const source = { hf: "org/tiny", endpoint: hub.endpoint, ...(id === undefined ? {} : { id }) };
  const load = async () => {
    const { files } = await openSource(source, { pins });
    return (await openCheckpoint({ source: files, store })).files.id;
  };
  const expected = id ?? `hf:org/tiny@${"c".repeat(40)}`;
  expect(await load()).toBe(expected);
  revisions.set("main", "d".repeat(40)); // the branch moves on, and what is stored stays
  hub.requests.length = 0;
  expect(await load()).toBe(expected);
  expect(hub.requests).toEqual([]);

  await store.deleteModel(expected);
  expect(await load()).toBe(id ?? `hf:org/tiny@${"d".repeat(40)}`);
});
