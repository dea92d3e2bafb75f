import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseRange } from "./http-range.mjs";

/** @typedef {import("./static-server.mjs").Fault} Fault */
/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */

/** Read at once: ranges of gigabytes are sent at over 1 GB/s, and slow connections still take small steps. */
const readBytes = 1024 * 1024;

/** @type {Readonly<Record<string, string>>} */
const mimeTypes = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/**
 * Answers a GET or HEAD with a file: ETag, If-None-Match, If-Range, one byte range, 416. `fault` bends the answer.
 * @param {Request} request
 * @param {Response} response
 * @param {{ path: string, sizeBytes: number, modifiedMs: number }} file
 * @param {Fault} [fault]
 */
export async function sendFile(request, response, file, fault = {}) {
  const etag = `"${file.sizeBytes.toString(36)}-${Math.round(file.modifiedMs).toString(36)}"`;
  response.setHeader("ETag", etag);
  response.setHeader("Last-Modified", new Date(file.modifiedMs).toUTCString());
  response.setHeader("Cache-Control", cacheControl(file.path));
  if (!fault.ignoreRange) response.setHeader("Accept-Ranges", "bytes");
  if (matches(request.headers["if-none-match"], etag)) {
    setAll(response, fault.headers);
    response.writeHead(304).end();
    return;
  }
  const range = wantedRange(request, file.sizeBytes, etag, fault);
  if (range === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${file.sizeBytes}`);
    setAll(response, fault.headers);
    response.writeHead(416).end();
    return;
  }
  const { start, end } = range === "whole" ? { start: 0, end: file.sizeBytes } : range;
  response.statusCode = range === "whole" ? 200 : 206;
  if (range !== "whole") response.setHeader("Content-Range", `bytes ${start}-${end - 1}/${file.sizeBytes}`);
  response.setHeader(
    "Content-Type",
    mimeTypes[extname(file.path).toLowerCase()] ?? "application/octet-stream",
  );
  // Without a length a body that ends early looks like a complete one (chunked encoding).
  const isCut = fault.endAfterBytes !== undefined && fault.endAfterBytes < end - start;
  if (!isCut) response.setHeader("Content-Length", end - start);
  setAll(response, fault.headers);
  const lastByte = isCut ? start + (fault.endAfterBytes ?? 0) : end;
  if (request.method === "HEAD" || lastByte === start) response.end();
  else await sendBytes(response, file.path, start, lastByte, fault);
}

/**
 * @param {Request} request
 * @param {number} sizeBytes
 * @param {string} etag
 * @param {Fault} fault
 */
function wantedRange(request, sizeBytes, etag, fault) {
  const condition = request.headers["if-range"];
  if (fault.ignoreRange || (condition !== undefined && condition !== etag)) return "whole";
  return parseRange(request.headers.range, sizeBytes);
}

/**
 * Weights are kept by the page in IndexedDB, so a second copy in the HTTP cache would only cost disk; built assets
 * have their hash in the name; everything else is asked for again.
 * @param {string} path
 */
function cacheControl(path) {
  if (path.endsWith(".safetensors")) return "no-store";
  return /[\\/]assets[\\/][^\\/]+-[\w-]{8}\.\w+$/.test(path)
    ? "public, max-age=31536000, immutable"
    : "no-cache";
}

/**
 * @param {string | undefined} header If-None-Match
 * @param {string} etag
 */
function matches(header, etag) {
  const tags = header?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  return tags.includes(etag) || tags.includes("*");
}

/**
 * @param {Response} response
 * @param {Readonly<Record<string, string>> | undefined} headers
 */
function setAll(response, headers = {}) {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

/**
 * @param {Response} response
 * @param {string} path
 * @param {number} start
 * @param {number} end
 * @param {Fault} fault
 */
async function sendBytes(response, path, start, end, fault) {
  const source = createReadStream(path, {
    start,
    end: end - 1,
    highWaterMark: isBent(fault) ? undefined : readBytes,
  });
  try {
    if (isBent(fault)) await pipeline(source, bend(response, start, fault), response);
    else await pipeline(source, response);
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code !== "ERR_STREAM_PREMATURE_CLOSE" && code !== "ECONNRESET") throw error; // the client went away
  }
}

/**
 * Whether a fault changes the bytes or their pace.
 * @param {Fault} fault
 */
function isBent({ resetAfterBytes, stallAfterBytes, bytesPerSecond, transform }) {
  return (resetAfterBytes ?? stallAfterBytes ?? bytesPerSecond ?? transform) !== undefined;
}

/**
 * The body as a fault wants it: changed, slowed, cut or stalled.
 * @param {Response} response
 * @param {number} start
 * @param {Fault} fault
 */
function bend(response, start, fault) {
  let sentBytes = 0;
  const cutAfterBytes = fault.resetAfterBytes ?? fault.stallAfterBytes ?? Number.POSITIVE_INFINITY;
  return new Transform({
    async transform(chunk, _encoding, done) {
      const offset = start + sentBytes;
      const bytes = fault.transform === undefined ? chunk : Buffer.from(fault.transform(chunk, offset));
      const keptBytes = Math.min(bytes.length, cutAfterBytes - sentBytes);
      this.push(bytes.subarray(0, keptBytes));
      sentBytes += keptBytes;
      if (fault.bytesPerSecond !== undefined) await sleep((keptBytes / fault.bytesPerSecond) * 1000);
      if (keptBytes === bytes.length) done();
      else if (fault.resetAfterBytes !== undefined) setTimeout(() => response.socket?.resetAndDestroy(), 20); // after a flush
      // a stall never calls done: the connection stays open and silent
    },
  });
}
