import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sendFile } from "./send-file.mjs";

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */
/** @typedef {import("./static-server.mjs").StaticServerOptions} Options */

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every answer. The engine does not need cross-origin isolation; the page is tested with it. */
export const securityHeaders = Object.freeze({
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
});

const corsHeaders = Object.freeze({
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, HEAD",
  "Access-Control-Allow-Headers": "*",
  "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
  "Cross-Origin-Resource-Policy": "cross-origin",
});

/** How many ports above the wanted one are tried before any free one is taken. */
const portsTried = 10;

/**
 * Serves a folder over HTTP until `close()`; see the declaration for the options.
 * @type {typeof import("./static-server.mjs").createStaticServer}
 */
export async function createStaticServer(options) {
  /** @type {import("./static-server.mjs").RequestRecord[]} */
  const requests = [];
  const roots = [...Object.entries(options.mounts ?? {}), ["/", options.root]]
    .map(([prefix = "/", folder = "."]) => ({ prefix, folder: resolve(folder) }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  const server = createServer((request, response) => {
    answer(request, response, { ...options, roots, requests }).catch((error) => {
      if (response.headersSent) response.destroy();
      else sendText(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
  const host = options.host ?? "127.0.0.1";
  const port = await listen(server, host, options.port ?? 0);
  return {
    url: `http://${shownHost(host)}:${port}/`,
    port,
    requests,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {Options & { roots: { prefix: string, folder: string }[], requests: import("./static-server.mjs").RequestRecord[] }} context
 */
async function answer(request, response, context) {
  const headers = { ...securityHeaders, ...(context.cors ? corsHeaders : {}), ...context.headers };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const method = request.method ?? "GET";
  if (method === "OPTIONS" && context.cors) return void response.writeHead(204).end();
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return sendText(response, 405, `${method} is not allowed here.`);
  }
  const path = decodePath(request.url ?? "/");
  if (path === undefined) return sendText(response, 400, "The path is malformed.");
  const record = { method, path, range: request.headers.range, headers: request.headers };
  context.requests.push(record);
  const fault = (await context.onRequest?.(record)) ?? {};
  if (fault.delayMs !== undefined) await sleep(fault.delayMs);
  if (fault.status !== undefined) {
    for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
    return sendText(response, fault.status, fault.body ?? "");
  }
  const found = await findFile(path, context.roots);
  if (found === undefined) return sendText(response, 404, `${path} is not here.`);
  if (found === "folder") {
    response.setHeader("Location", encodeURI(`${path}/`));
    return sendText(response, 301, "");
  }
  await sendFile(request, response, found, fault);
}

/**
 * The path of a request without query, decoded, repeated slashes joined; undefined where it is malformed.
 * @param {string} url
 */
export function decodePath(url) {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, "")).replace(/\/{2,}/g, "/");
    return path.startsWith("/") && !/[\\\0]/.test(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The file that a path names in the first root whose prefix matches. Nothing outside the root (by `..` or by
 * a link) and no name that starts with a dot is ever found.
 * @param {string} path
 * @param {{ prefix: string, folder: string }[]} roots longest prefix first
 * @returns {Promise<{ path: string, sizeBytes: number, modifiedMs: number } | "folder" | undefined>}
 */
async function findFile(path, roots) {
  const mount = roots.find(({ prefix }) => path.startsWith(prefix));
  if (mount === undefined || path.split("/").some((part) => part.startsWith("."))) return undefined;
  const name = path.slice(mount.prefix.length);
  const wanted = name === "" || name.endsWith("/") ? `${name}index.html` : name;
  try {
    const folder = await realpath(mount.folder);
    const real = await realpath(join(folder, wanted));
    if (!real.startsWith(folder + sep)) return undefined;
    const facts = await stat(real);
    if (facts.isDirectory()) return "folder";
    return facts.isFile() ? { path: real, sizeBytes: facts.size, modifiedMs: facts.mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {Response} response
 * @param {number} status
 * @param {string} text
 */
function sendText(response, status, text) {
  if (!response.hasHeader("Content-Type")) response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.writeHead(status).end(text);
}

/**
 * Listens on the wanted port, else on one of the next few, else on any. A near port keeps the origin, and with
 * it what the browser has stored, likely to be the same next time.
 * @param {import("node:http").Server} server
 * @param {string} host
 * @param {number} wanted 0 for any
 * @returns {Promise<number>} the port
 */
async function listen(server, host, wanted) {
  const near = wanted === 0 ? [] : Array.from({ length: portsTried }, (_, index) => wanted + index);
  for (const port of [...near.filter((candidate) => candidate < 65_536), 0]) {
    try {
      return await listenOn(server, host, port);
    } catch (error) {
      const code = /** @type {NodeJS.ErrnoException} */ (error).code;
      if (port === 0 || (code !== "EADDRINUSE" && code !== "EACCES")) throw error;
    }
  }
  throw new Error(`No port is free on ${host}.`);
}

/**
 * @param {import("node:http").Server} server
 * @param {string} host
 * @param {number} port
 * @returns {Promise<number>}
 */
function listenOn(server, host, port) {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      const address = server.address();
      done(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** @param {string} host */
function shownHost(host) {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
