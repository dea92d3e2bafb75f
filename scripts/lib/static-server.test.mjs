import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createStaticServer, securityHeaders } from "./static-server.mjs";

const folder = mkdtempSync(join(tmpdir(), "static-server-"));
const digits = "0123456789";
/** @type {import("./static-server.mjs").StaticServer[]} */
const open = [];

beforeAll(() => {
  mkdirSync(join(folder, "root/assets"), { recursive: true });
  mkdirSync(join(folder, "mount"));
  writeFileSync(join(folder, "root/index.html"), "<!doctype html>");
  writeFileSync(join(folder, "root/digits.bin"), digits);
  writeFileSync(join(folder, "root/.hidden"), "hidden");
  writeFileSync(join(folder, "root/empty.json"), "");
  writeFileSync(join(folder, "root/assets/app-Ab12_-xY.js"), "1");
  writeFileSync(join(folder, "mount/model.safetensors"), digits);
  writeFileSync(join(folder, "secret.txt"), "secret");
  symlinkSync(join(folder, "secret.txt"), join(folder, "root/link.txt"));
});
afterEach(() => Promise.all(open.splice(0).map((server) => server.close())));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @param {Partial<import("./static-server.mjs").StaticServerOptions>} [options] */
async function serve(options) {
  const server = await createStaticServer({ root: join(folder, "root"), ...options });
  open.push(server);
  return server;
}

/**
 * A GET whose path is sent as it is written; fetch would resolve `..` itself.
 * @param {number} port
 * @param {string} path
 * @returns {Promise<{ status: number | undefined, location: string | undefined }>}
 */
function rawGet(port, path) {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, location: response.headers.location });
    });
    request.on("error", reject).end();
  });
}

describe("files", () => {
  it("serves index.html for the folder, with its type and the security headers", async () => {
    const { url } = await serve();
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    for (const [name, value] of Object.entries(securityHeaders)) {
      expect(response.headers.get(name)).toBe(value);
    }
    expect(await response.text()).toBe("<!doctype html>");
  });

  it("answers HEAD with the headers of GET and no body", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}digits.bin`, { method: "HEAD" });
    expect([response.status, response.headers.get("content-length")]).toEqual([200, "10"]);
    expect(await response.text()).toBe("");
  });

  it("serves an empty file", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}empty.json`);
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  it("refuses other methods", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}digits.bin`, { method: "POST", body: "x" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("keeps hashed assets, revalidates the rest and stores no weights", async () => {
    const { url } = await serve({ mounts: { "/models/": join(folder, "mount") } });
    const policy = async (/** @type {string} */ path) =>
      (await fetch(url + path)).headers.get("cache-control");
    expect(await policy("assets/app-Ab12_-xY.js")).toBe("public, max-age=31536000, immutable");
    expect(await policy("digits.bin")).toBe("no-cache");
    expect(await policy("models/model.safetensors")).toBe("no-store");
  });

  it("answers 304 to its own ETag and 200 to another", async () => {
    const { url } = await serve();
    const etag = (await fetch(`${url}digits.bin`)).headers.get("etag") ?? "";
    const again = await fetch(`${url}digits.bin`, { headers: { "If-None-Match": `"other", W/${etag}` } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const other = await fetch(`${url}digits.bin`, { headers: { "If-None-Match": '"other"' } });
    expect([other.status, await other.text()]).toEqual([200, digits]);
  });
});

describe("ranges", () => {
  it.each([
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=8-", "89", "bytes 8-9/10"],
    ["bytes=-1", "9", "bytes 9-9/10"],
  ])("%s is 206 with exactly these bytes", async (range, body, contentRange) => {
    const { url } = await serve();
    const response = await fetch(`${url}digits.bin`, { headers: { Range: range } });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(response.headers.get("content-length")).toBe(String(body.length));
    expect(await response.text()).toBe(body);
  });

  it("answers 416 with the size beyond the end", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}digits.bin`, { headers: { Range: "bytes=10-" } });
    expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  });

  it("sends the whole file when If-Range names another version", async () => {
    const { url } = await serve();
    const headers = { Range: "bytes=2-4", "If-Range": '"other"' };
    const response = await fetch(`${url}digits.bin`, { headers });
    expect([response.status, await response.text()]).toEqual([200, digits]);
  });
});

describe("paths", () => {
  it.each([
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/link.txt",
    "/.hidden",
    "/nothing.txt",
  ])("%s is not found", async (path) => {
    const { port } = await serve();
    expect((await rawGet(port, path)).status).toBe(404);
  });

  it.each(["/%zz", "/a%00b", "/..%5csecret.txt"])("%s is malformed", async (path) => {
    const { port } = await serve();
    expect((await rawGet(port, path)).status).toBe(400);
  });

  it("sends a folder without its slash to the one with, on this host only", async () => {
    const { port } = await serve();
    expect(await rawGet(port, "//assets")).toEqual({ status: 301, location: "/assets/" });
  });

  it("prefers the longest mount", async () => {
    const mounts = { "/models/": join(folder, "root"), "/models/nano/": join(folder, "mount") };
    const { url } = await serve({ mounts });
    expect((await fetch(`${url}models/nano/model.safetensors`)).status).toBe(200);
    expect((await fetch(`${url}models/digits.bin`)).status).toBe(200);
    expect((await fetch(`${url}models/model.safetensors`)).status).toBe(404);
  });
});

describe("ports", () => {
  it("takes a near port where the wanted one is taken", async () => {
    const first = await serve();
    const second = await serve({ port: first.port });
    expect(second.port).not.toBe(first.port);
    expect((await fetch(second.url)).status).toBe(200);
  });

  it("stops listening when closed, also with a connection open", async () => {
    const server = await createStaticServer({ root: join(folder, "root") });
    await (await fetch(server.url)).text();
    await server.close();
    await expect(fetch(server.url)).rejects.toThrow();
  });
});

describe("faults", () => {
  /** @param {import("./static-server.mjs").Fault} fault */
  const serveWith = (fault) => serve({ onRequest: () => fault });

  it("records what was asked", async () => {
    const server = await serve();
    await fetch(`${server.url}digits.bin?x=1`, { headers: { Range: "bytes=1-2" } });
    await fetch(`${server.url}nothing`);
    expect(server.requests.map(({ method, path, range }) => [method, path, range])).toEqual([
      ["GET", "/digits.bin", "bytes=1-2"],
      ["GET", "/nothing", undefined],
    ]);
  });

  it("answers a status instead", async () => {
    const { url } = await serveWith({ status: 503, headers: { "Retry-After": "1" }, body: "later" });
    const response = await fetch(`${url}digits.bin`);
    expect([response.status, response.headers.get("retry-after"), await response.text()]).toEqual([
      503,
      "1",
      "later",
    ]);
  });

  it("ignores a range", async () => {
    const { url } = await serveWith({ ignoreRange: true });
    const response = await fetch(`${url}digits.bin`, { headers: { Range: "bytes=1-2" } });
    expect([response.status, await response.text()]).toEqual([200, digits]);
  });

  it("changes bytes at an offset of the file", async () => {
    const transform = (/** @type {Uint8Array} */ bytes, /** @type {number} */ offset) =>
      bytes.map((byte, index) => (offset + index === 5 ? 0x21 : byte));
    const { url } = await serveWith({ transform });
    const response = await fetch(`${url}digits.bin`, { headers: { Range: "bytes=4-6" } });
    expect(await response.text()).toBe("4!6");
  });

  it("breaks the connection within the body", async () => {
    const { url } = await serveWith({ resetAfterBytes: 4 });
    const response = await fetch(`${url}digits.bin`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  it("ends the body early as if it were complete", async () => {
    const { url } = await serveWith({ endAfterBytes: 4 });
    const whole = await fetch(`${url}digits.bin`);
    expect([whole.status, whole.headers.get("content-length"), await whole.text()]).toEqual([
      200,
      null,
      "0123",
    ]);
    const part = await fetch(`${url}digits.bin`, { headers: { Range: "bytes=2-8" } });
    expect([part.status, await part.text()]).toEqual([206, "2345"]);
    const short = await fetch(`${url}digits.bin`, { headers: { Range: "bytes=2-3" } });
    expect([short.headers.get("content-length"), await short.text()]).toEqual(["2", "23"]);
  });

  it("stalls within the body and keeps the connection", async () => {
    const { url } = await serveWith({ stallAfterBytes: 4 });
    const response = await fetch(`${url}digits.bin`);
    const reader = response.body?.getReader();
    const piece = await reader?.read();
    expect(Buffer.from(piece?.value ?? []).toString()).toBe("0123");
    const silence = new Promise((resolve) => setTimeout(resolve, 100, "silence"));
    expect(await Promise.race([reader?.read(), silence])).toBe("silence");
    await reader?.cancel();
  });

  it("lets other origins read where asked to", async () => {
    const { url } = await serve({ cors: true });
    const response = await fetch(`${url}digits.bin`);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    expect((await fetch(`${url}digits.bin`, { method: "OPTIONS" })).status).toBe(204);
  });
});
