import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineError } from "../errors.ts";
import { type FakeRepo, type HubServer, startHubServer } from "../testing/hub-server.ts";
import { type CommitPins, type HubFilesOptions, openHubFiles } from "./hub-files.ts";
import { hubId } from "./source-spec.ts";
import type { HubLocation } from "./source-types.ts";

const first = "a".repeat(40);
const second = "b".repeat(40);
const weights = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 13 + (i >> 7)) & 0xff);

let hub: HubServer;
beforeEach(async () => {
  hub = await startHubServer();
});
afterEach(() => hub.close());

function addRepo(name: string, more: Partial<FakeRepo> = {}): FakeRepo {
  const repo: FakeRepo = {
    revisions: new Map([["main", first]]),
    files: new Map<string, string | Uint8Array>([
      ["config.json", '{"model_type": "gpt_oss"}'],
      ["tokenizer.json", '{"model": "grüße"}'],
      ["model.safetensors", weights],
      ["original/config.json", "{}"],
      ["original/model.safetensors", weights],
    ]),
    large: new Set(["model.safetensors", "tokenizer.json"]),
    ...more,
  };
  hub.repos.set(name, repo);
  return repo;
}

const open = (hf: string, more: Partial<HubLocation> = {}, options: Partial<HubFilesOptions> = {}) =>
  openHubFiles({ location: { hf, endpoint: hub.endpoint, ...more }, retryDelayMs: 1, ...options });

const failure = async (promise: Promise<unknown>): Promise<Error & { code?: string; details?: unknown }> =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: Error) => error,
  );

describe("openHubFiles", () => {
  it("pins a branch to its commit", async () => {
    addRepo("org/name");
    const files = await open("hf:org/name");
    expect(files.id).toBe(`hf:org/name@${first}`);
    expect(hub.requests.map(({ path }) => path)).toEqual(["/api/models/org/name/revision/main"]);
  });

  it("makes no request for a commit until a file is asked for, and lists once", async () => {
    addRepo("org/name");
    const files = await open(`org/name@${first}`);
    expect(hub.requests).toEqual([]);
    await Promise.all([files.sizeBytes("model.safetensors"), files.stat("config.json")]);
    expect(hub.requests.map(({ path }) => path)).toEqual([`/api/models/org/name/tree/${first}?recursive=1`]);
  });

  it("gives size and SHA-256 of large files from the listing", async () => {
    addRepo("org/name");
    const files = await open("org/name");
    const sha256 = createHash("sha256").update(weights).digest("hex");
    expect(await files.expected?.("model.safetensors")).toEqual({ sizeBytes: weights.byteLength, sha256 });
    expect(await files.stat("model.safetensors")).toEqual({ sizeBytes: weights.byteLength, etag: sha256 });
    expect(await files.expected?.("config.json")).toEqual({ sizeBytes: 25, sha256: undefined });
  });

  it("follows the pages of a listing", async () => {
    addRepo("org/name");
    hub.pageSize = 2;
    expect(await (await open("org/name/original")).sizeBytes("model.safetensors")).toBe(weights.byteLength);
    expect(hub.requests.filter(({ path }) => path.includes("cursor="))).toHaveLength(2);
  });

  it("reads ranges and texts through redirects to another origin", async () => {
    addRepo("org/name");
    const files = await open("org/name");
    expect(
      Buffer.compare(await files.read("model.safetensors", 777, 150_000), weights.subarray(777, 150_000)),
    ).toBe(0);
    expect(await files.readText("tokenizer.json")).toBe('{"model": "grüße"}');
    expect(await files.readText("tokenizer_config.json")).toBeUndefined();
    expect(hub.requests.some(({ path }) => path.includes("tokenizer_config"))).toBe(false);
  });

  it("resolves the address anew where a signed one has expired", async () => {
    addRepo("org/name");
    hub.usesPerSignature = 0;
    const files = await open("org/name");
    const reading = files.read("model.safetensors", 0, 1000);
    while (!hub.requests.some(({ host }) => host === "files"))
      await new Promise((done) => setTimeout(done, 1));
    hub.usesPerSignature = 1;
    expect(await reading).toHaveLength(1000);
    const resolved = hub.requests.filter(({ host, path }) => host === "hub" && path.includes("/resolve/"));
    expect(resolved.length).toBeGreaterThan(1);
  });

  it("gives up on addresses that never work", async () => {
    addRepo("org/name");
    hub.usesPerSignature = 0;
    const files = await open("org/name", {}, { retries: 2 });
    const error = await failure(files.read("model.safetensors", 0, 1000));
    expect(error).toMatchObject({ code: "download-failed", details: { status: 403, tries: 3 } });
  });

  it("takes a small file only with the digest of the listing", async () => {
    addRepo("org/name");
    const files = await open("org/name");
    await files.sizeBytes("config.json");
    addRepo("org/name", {
      files: new Map([
        ["config.json", '{"model_type": "gpt_osS"}'],
        ["tokenizer.json", '{"model": "grüse"}'],
      ]),
    });
    expect(await failure(files.readText("config.json"))).toMatchObject({ code: "checksum-mismatch" });
    expect(await failure(files.readText("tokenizer.json"))).toMatchObject({ code: "checksum-mismatch" });
  });

  it("keeps the byte order mark out of the text but in the digest", async () => {
    addRepo("org/name", { files: new Map([["config.json", "\ufeff{}"]]) });
    expect(await (await open("org/name")).readText("config.json")).toBe("{}");
  });

  it("refuses a file whose size is not the listing's", async () => {
    addRepo("org/name");
    const files = await open("org/name");
    await files.sizeBytes("model.safetensors");
    addRepo("org/name", { files: new Map([["model.safetensors", weights.subarray(0, 100_000)]]) });
    expect(await failure(files.read("model.safetensors", 0, 1000))).toMatchObject({
      code: "download-failed",
      message: expect.stringContaining("100000 bytes, before 200000"),
    });
  });
});

describe("the original/ folder", () => {
  it("takes its tokenizer from the root", async () => {
    addRepo("org/name");
    const files = await open("org/name/original");
    expect(files.id).toBe(`hf:org/name/original@${first}`);
    expect(await files.readText("config.json")).toBe("{}");
    expect(await files.readText("tokenizer.json")).toBe('{"model": "grüße"}');
  });
  it("is named where the root has no config.json", async () => {
    addRepo("org/name", { files: new Map([["original/config.json", "{}"]]) });
    const error = await failure((await open("org/name")).readText("config.json"));
    expect(error).toMatchObject({ code: "checkpoint-invalid" });
    expect(error.message).toContain(`hf:org/name/original@${first}`);
  });
  it("a LoRA adapter is told from a checkpoint", async () => {
    addRepo("org/name", { files: new Map([["adapter_config.json", "{}"]]) });
    expect((await failure((await open("org/name")).readText("config.json"))).message).toContain(
      "LoRA adapter",
    );
  });
});

describe("the access token", () => {
  it("goes to the hub only, never where it redirects to", async () => {
    addRepo("org/name", { token: "hf_secret" });
    const files = await open("org/name", { token: "hf_secret" });
    await files.read("model.safetensors", 0, 10);
    await files.readText("config.json");
    const sent = (host: string) => [
      ...new Set(hub.requests.filter((seen) => seen.host === host).map(({ authorization }) => authorization)),
    ];
    expect(sent("hub")).toEqual(["Bearer hf_secret"]);
    expect(sent("files")).toEqual([undefined]);
  });
  it("is not in the id or in messages", async () => {
    addRepo("org/name", { refusal: { status: 403, code: "GatedRepo" } });
    const error = await failure(open("org/name", { token: "hf_secret" }));
    expect(JSON.stringify([error.message, error.details])).not.toContain("hf_secret");
  });
  it("does not follow a listing to another host", async () => {
    addRepo("org/name", { token: "hf_secret" });
    const files = await open(
      `org/name@${first}`,
      { token: "hf_secret" },
      {
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          const headers = { Link: '<https://elsewhere.test/more>; rel="next"' };
          return new Response(response.body, { status: response.status, headers });
        },
      },
    );
    expect((await failure(files.sizeBytes("model.safetensors"))).message).toContain(
      "another host, elsewhere.test",
    );
  });
  it("is refused over plain http", async () => {
    const error = await failure(open("org/name", { endpoint: "http://mirror.test", token: "hf_secret" }));
    expect(error).toMatchObject({ code: "request-invalid" });
  });
});

describe("refusals", () => {
  it.each([
    [
      { status: 401, code: "RepoNotFound" },
      undefined,
      /no such public repository \(401\).*access token if it is private/,
    ],
    [{ status: 401, code: "RepoNotFound" }, "t", /no such repository for this access token/],
    [{ status: 403, code: "GatedRepo" }, undefined, /gated \(403\); accept its terms.*pass an access token/],
    [{ status: 403, code: "GatedRepo" }, "t", /has not been granted access/],
    [{ status: 404, code: "RevisionNotFound" }, undefined, /no revision "main"/],
    [{ status: 418 }, undefined, /answered 418/],
  ])("%j with token %s", async (refusal, token, message) => {
    addRepo("org/name", { refusal });
    const error = await failure(open("org/name", token === undefined ? {} : { token }));
    expect(error).toMatchObject({
      code: "download-failed",
      details: { status: refusal.status, repo: "org/name" },
    });
    expect(error.message).toMatch(message);
  });
  it("names the file that a commit does not have", async () => {
    addRepo("org/name");
    expect(await failure((await open("org/name")).sizeBytes("model-00001.safetensors"))).toMatchObject({
      code: "download-failed",
      message: expect.stringContaining("has no file model-00001.safetensors"),
    });
  });
});

describe("pins", () => {
  const pinned = new Map<string, string>();
  const pins: CommitPins = {
    get: async (repo) => pinned.get(hubId(repo)),
    set: async (repo, commit) => void pinned.set(hubId(repo), commit),
  };
  it("keep a branch at the commit that is stored, until a refresh is asked for", async () => {
    const { revisions } = addRepo("org/name");
    await open("org/name", {}, { pins });
    revisions.set("main", second);
    hub.requests.length = 0;
    expect((await open("org/name", {}, { pins })).id).toBe(`hf:org/name@${first}`);
    expect(hub.requests).toEqual([]);
    expect((await open("org/name", { refresh: true }, { pins })).id).toBe(`hf:org/name@${second}`);
    expect((await open("org/name", {}, { pins })).id).toBe(`hf:org/name@${second}`);
  });
  it("do not stand in the way where the storage is full or blocked", async () => {
    addRepo("org/name");
    const refuse = async () => {
      throw new EngineError("storage-full", "no room");
    };
    const files = await open("org/name", {}, { pins: { get: async () => undefined, set: refuse } });
    expect(files.id).toBe(`hf:org/name@${first}`);
  });
});
