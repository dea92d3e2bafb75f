import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RangeServer, startRangeServer } from "../testing/range-server.ts";
import { createHttpFiles, type HttpFilesOptions } from "./http-files.ts";
import { createPause } from "./pause.ts";

const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
let server: RangeServer;

beforeAll(async () => {
  server = await startRangeServer();
});
afterAll(() => server.close());
afterEach(() => {
  server.requests.length = 0;
  server.etags.clear();
});

/** Short, for the tests in which the server stalls. */
const idleTimeoutMs = 400;

function expectSameBytes(got: Uint8Array, expected: Uint8Array): void {
  expect(got).toHaveLength(expected.byteLength);
  expect(Buffer.compare(got, expected)).toBe(0); // toEqual takes a second for this many
}

let numFiles = 0;
/** A file of its own for each test: faults that a test leaves over do not reach the next. */
function newFile(content: Uint8Array | string = data): string {
  const name = `file-${numFiles++}.bin`;
  server.files.set(name, content);
  return name;
}

function open(options: Partial<HttpFilesOptions> = {}) {
  return createHttpFiles({ baseUrl: server.url, retryDelayMs: 1, ...options });
}

function failure(file: string, more: Record<string, unknown> = {}) {
  return { name: "EngineError", code: "download-failed", details: { url: server.url + file, ...more } };
}

describe("createHttpFiles ranges", () => {
  it("reads exactly the bytes asked for", async () => {
    const file = newFile();
    expectSameBytes(await open().read(file, 1000, 250_000), data.slice(1000, 250_000));
    expect(server.requests).toEqual([{ file, range: "bytes=1000-249999", status: 206 }]);
  });
  it("makes no request for an empty range", async () => {
    expect(await open().read(newFile(), 5, 5)).toHaveLength(0);
    expect(server.requests).toHaveLength(0);
  });
  it("takes the size from a range of one byte, once", async () => {
    const file = newFile();
    const files = open();
    expect(await files.stat(file)).toEqual({ sizeBytes: data.byteLength, etag: `"etag-${file}"` });
    expect(await files.sizeBytes(file)).toBe(data.byteLength);
    expect(server.requests).toEqual([{ file, range: "bytes=0-1", status: 206 }]);
  });

  it.each([
    ["200 with the whole body", { kind: "ignore-range" }, /ignored the Range header/, 200],
    [
      "another range",
      { kind: "content-range", value: "bytes 0-9/300000" },
      /asked for bytes 10-19.*"bytes 0-9/,
      206,
    ],
    [
      "no Content-Range",
      { kind: "content-range", value: undefined },
      /no Content-Range.*Expose-Headers/,
      206,
    ],
    ["an unknown total", { kind: "content-range", value: "bytes 10-19/*" }, /"bytes 10-19\/\*"/, 206],
    ["more bytes than asked for", { kind: "extra-bytes" }, /more than the 10 bytes/, 206],
    ["an HTML page", { kind: "html" }, /HTML page/, 200],
    ["404", { kind: "status", status: 404 }, /no such file \(404\)/, 404],
    ["403", { kind: "status", status: 403 }, /refused access \(403\)/, 403],
  ] as const)("refuses %s at once", async (_, fault, message, status) => {
    const file = newFile();
    server.fault(file, fault);
    const read = open().read(file, 10, 20);
    await expect(read).rejects.toMatchObject(failure(file, { status }));
    await expect(read).rejects.toThrow(message);
    expect(server.requests).toHaveLength(1);
  });
  it("says so where the file is shorter than the range", async () => {
    await expect(open().read(newFile(data.slice(0, 5)), 10, 20)).rejects.toThrow(/shorter than 11 bytes/);
  });

  it.each([
    ["ends early without a sign", { kind: "short-body", afterBytes: 100_000 }],
    ["breaks off", { kind: "reset", afterBytes: 100_000 }],
    ["stalls", { kind: "stall", afterBytes: 100_000 }],
  ] as const)("takes up a body that %s where it stopped", async (_, fault) => {
    const file = newFile();
    server.fault(file, fault);
    let seen = 0;
    const range = { startBytes: 10, endBytes: 200_010 };
    const bytes = await open({ idleTimeoutMs }).fetchRange(file, range, { onBytes: (n) => (seen += n) });
    expectSameBytes(bytes, data.slice(10, 200_010));
    expect(seen).toBe(200_000);
    expect(server.requests.map(({ range }) => range)).toEqual(["bytes=10-200009", "bytes=100010-200009"]);
  });
  it("does not count tries that brought something", async () => {
    const file = newFile();
    server.fault(file, { kind: "reset", afterBytes: 70_000 }, { times: 4 });
    expectSameBytes(await open({ retries: 1 }).read(file, 0, 300_000), data);
    expect(server.requests).toHaveLength(5);
  });
  it("gives up after the retries, and says how often it tried", async () => {
    const file = newFile();
    server.fault(file, { kind: "stall", afterBytes: 10 }, { times: 9 });
    const read = open({ retries: 2, idleTimeoutMs: 150 }).read(file, 0, 100);
    await expect(read).rejects.toMatchObject(failure(file, { tries: 3 }));
    await expect(read).rejects.toThrow(/sent nothing for 0\.15 s\. Gave up after 3 tries/);
  });
  it.each([429, 500, 503, 520, 524, 529])("retries %i", async (status) => {
    const file = newFile();
    server.fault(file, { kind: "status", status }, { times: 2 });
    expect(await open().read(file, 0, 4)).toEqual(data.slice(0, 4));
    expect(server.requests.map((request) => request.status)).toEqual([status, status, 206]);
  });
  it.each([
    ["a number of seconds", () => "1", 950],
    ["a date", () => new Date(Date.now() + 2000).toUTCString(), 900], // in whole seconds: 1 to 2 from now
  ])("waits as long as Retry-After says in %s", async (_, retryAfter, leastMs) => {
    const file = newFile();
    server.fault(file, { kind: "status", status: 429, retryAfter: retryAfter() });
    const start = performance.now();
    await open().read(file, 0, 4);
    expect(performance.now() - start).toBeGreaterThan(leastMs);
  });
  it("takes a range that comes compressed", async () => {
    const file = newFile();
    server.fault(file, { kind: "gzip" }, { times: 2 });
    expectSameBytes(await open().read(file, 10, 200_010), data.slice(10, 200_010));
    expect(await open().sizeBytes(file)).toBe(data.byteLength);
  });
  it("gives up on a server that redirects for ever", async () => {
    const file = newFile();
    server.fault(file, { kind: "redirect-to-itself" }, { times: 99 });
    const read = open({ retries: 1 }).read(file, 0, 4);
    await expect(read).rejects.toMatchObject(failure(file, { tries: 2 }));
  });
  it("reports a server that cannot be reached", async () => {
    const closed = await startRangeServer();
    await closed.close();
    const files = open({ baseUrl: closed.url, retries: 1 });
    await expect(files.read("a.bin", 0, 4)).rejects.toMatchObject({
      code: "download-failed",
      details: { tries: 2 },
    });
  });
  it.each([
    ["another ETag", () => server.etags.set("changing.bin", '"2"')],
    ["another size", () => server.files.set("changing.bin", data.slice(0, 200_000))],
  ])("refuses to mix two versions of a file: %s", async (_, change) => {
    server.files.set("changing.bin", data);
    const files = open();
    await files.stat("changing.bin");
    change();
    await expect(files.read("changing.bin", 0, 10)).rejects.toThrow(/changed on the server/);
    await files.stat("changing.bin");
    await expect(files.read("changing.bin", 0, 10)).resolves.toHaveLength(10);
  });
  it.each(["../a", "a/b", "https://evil.example", "a?b", ""])("refuses the file name %j", async (name) => {
    await expect(open().read(name, 0, 1)).rejects.toMatchObject({ code: "request-invalid" });
  });
});

describe("createHttpFiles abort", () => {
  it("stops a transfer that is under way", async () => {
    const file = newFile();
    server.fault(file, { kind: "stall", afterBytes: 10 }, { times: 9 });
    const abort = new AbortController();
    const read = open().fetchRange(
      file,
      { startBytes: 0, endBytes: 1000 },
      { signal: abort.signal, onBytes: () => abort.abort() },
    );
    await expect(read).rejects.toMatchObject({ code: "aborted" });
    expect(server.requests).toHaveLength(1);
  });
  it("stops the wait before a retry", async () => {
    const file = newFile();
    server.fault(file, { kind: "status", status: 503, retryAfter: "30" });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    await expect(open().read(file, 0, 10, abort.signal)).rejects.toMatchObject({ code: "aborted" });
  });
  it("makes no request once aborted", async () => {
    await expect(open().read(newFile(), 0, 1, AbortSignal.abort())).rejects.toMatchObject({
      code: "aborted",
    });
    expect(server.requests).toHaveLength(0);
  });
});

describe("createHttpFiles pause", () => {
  it("ends the request under way, and goes on at the byte where it stopped, without using up a retry", async () => {
    const content = new Uint8Array(200_000).map((_, i) => i % 251);
    const file = newFile(content);
    server.fault(file, { kind: "stall", afterBytes: 50_000 });
    const pause = createPause();
    let arrived = 0;
    const onBytes = (numBytes: number) => {
      arrived += numBytes;
      if (arrived === 50_000) pause.pause();
    };
    server.requests.length = 0;
    const range = { startBytes: 0, endBytes: content.byteLength };
    const fetching = open({ retries: 0 }).fetchRange(file, range, { pause, onBytes });
    await expect.poll(() => pause.isPaused).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.requests).toHaveLength(1);
    pause.resume();
    expect(Buffer.compare(await fetching, content)).toBe(0);
    expect(server.requests.map((request) => request.range)).toEqual(["bytes=0-199999", "bytes=50000-199999"]);
  });
});

describe("createHttpFiles texts", () => {
  it("reads a text, also where pieces cut a character", async () => {
    const text = "ü€😀".repeat(40_000);
    expect(await open().readText(newFile(text))).toBe(text);
  });
  it("tells a missing file from a failing server", async () => {
    expect(await open().readText("missing.json")).toBeUndefined();
    const file = newFile("{}");
    server.fault(file, { kind: "status", status: 500 }, { times: 2 });
    await expect(open({ retries: 1 }).readText(file)).rejects.toMatchObject(failure(file, { status: 500 }));
  });
  it("refuses an HTML page sent with 200, by its type or by its text", async () => {
    const file = newFile("{}");
    server.fault(file, { kind: "html" });
    await expect(open().readText(file)).rejects.toThrow(/HTML page instead of the file/);
    await expect(open().readText(newFile("\n<!DOCTYPE html><p>"))).rejects.toThrow(/HTML page/);
  });
  it("refuses a text that is not UTF-8", async () => {
    await expect(open().readText(newFile(new Uint8Array([0x7b, 0xff])))).rejects.toThrow(/not UTF-8/);
  });
  it("works from a relative address", async () => {
    server.files.set("models/nano/config.json", "{}");
    const files = open({ baseUrl: "models/nano", relativeTo: `${server.url}index.html` });
    expect(files.id).toBe(`${server.url}models/nano/`);
    expect(await files.readText("config.json")).toBe("{}");
  });
});
