import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

/** What goes wrong with an answer. Bytes count from the start of the body. */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: "ignore-range" }
  | { readonly kind: "content-range"; readonly value: string | undefined }
  /** The body ends early although the transfer looks complete (chunked encoding). */
  | { readonly kind: "short-body"; readonly afterBytes: number }
  /** The connection breaks. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Nothing more is sent, and the connection stays open. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  | { readonly kind: "extra-bytes" }
  /** The range is sent compressed, as servers do that compress on the fly. */
  | { readonly kind: "gzip" }
  /** The server sends the client to the same address again. */
  | { readonly kind: "redirect-to-itself" }
  | { readonly kind: "html" };

export interface SeenRequest {
  readonly file: string;
  /** The Range header, e.g. `bytes=0-99`. */
  readonly range: string | undefined;
  /** The status that was sent. */
  readonly status: number;
}

export interface RangeServer {
  /** Address of the folder, ending in `/`. */
  readonly url: string;
  /** Requests answered so far, in order; clear with `requests.length = 0`. */
  readonly requests: SeenRequest[];
  /** Files by name, over those of the folder; `undefined` makes a file missing. */
  readonly files: Map<string, Uint8Array | string | undefined>;
  /** ETags by file name; a file has a fixed one otherwise, `undefined` sends none. */
  readonly etags: Map<string, string | undefined>;
  /** Last-Modified by file name; none is sent otherwise. */
  readonly lastModified: Map<string, string>;
  /** Makes the next `times` answers for a file fail; several faults queue up. `skip` answers come first. */
  fault(file: string, fault: Fault, options?: { readonly times?: number; readonly skip?: number }): void;
  /** Wait before the answers to requests for all of a file by Range, so that something can happen meanwhile. Default 0. */
  wholeFileDelayMs: number;
  close(): Promise<void>;
}

interface QueuedFault {
  readonly fault: Fault;
  times: number;
  skip: number;
}

export interface RangeServerOptions {
  /** Where files lie that `files` does not name. */
  readonly folder?: string;
  /** Told of each request; one that it answers with false gets 403, as an expired signature does. */
  readonly allow?: (request: IncomingMessage) => boolean;
}

/** A local file server with Range, ETag and CORS whose answers can be made to fail. */
export async function startRangeServer(options: RangeServerOptions = {}): Promise<RangeServer> {
  const faults = new Map<string, QueuedFault[]>();
  const state: Pick<RangeServer, "requests" | "files" | "etags" | "lastModified"> = {
    requests: [],
    files: new Map(),
    etags: new Map(),
    lastModified: new Map(),
  };
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });

  const content = async (file: string): Promise<Uint8Array | undefined> => {
    if (state.files.has(file)) {
      const known = state.files.get(file);
      return typeof known === "string" ? new TextEncoder().encode(known) : known;
    }
    return options.folder === undefined
      ? undefined
      : readFile(join(options.folder, file)).catch(() => undefined);
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const file = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname.slice(1));
    const range = request.headers.range;
    const denied: Fault = { kind: "status", status: 403 };
    const fault = options.allow?.(request) === false ? denied : takeFault(faults.get(file));
    const etag = state.etags.has(file) ? state.etags.get(file) : `"etag-${file}"`;
    const lastModified = state.lastModified.get(file);
    const bytes = await content(file);
    const plan = planAnswer(bytes, range, fault);
    const isWhole = bytes !== undefined && range === `bytes=0-${bytes.byteLength - 1}`;
    if (isWhole && served.wholeFileDelayMs > 0) await sleep(served.wholeFileDelayMs);
    state.requests.push({ file, range, status: plan.status });
    response.writeHead(plan.status, {
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Expose-Headers": "ETag, Content-Range, Retry-After",
      ...(etag !== undefined && plan.status < 300 ? { ETag: etag } : {}),
      ...(lastModified !== undefined && plan.status < 300 ? { "Last-Modified": lastModified } : {}),
      ...plan.headers,
    });
    await sendBody(response, plan.body, fault);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const served: RangeServer = {
    ...state,
    wholeFileDelayMs: 0,
    url: `http://127.0.0.1:${port}/`,
    fault(file, fault, { times = 1, skip = 0 } = {}) {
      faults.set(file, [...(faults.get(file) ?? []), { fault, times, skip }]);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return served;
}

function takeFault(queue: QueuedFault[] | undefined): Fault | undefined {
  const next = queue?.[0];
  if (next === undefined) return undefined;
  if (next.skip > 0) {
    next.skip -= 1;
    return undefined;
  }
  next.times -= 1;
  if (next.times === 0) queue?.shift();
  return next.fault;
}

interface Plan {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

const noBody = new Uint8Array(0);

function planAnswer(
  content: Uint8Array | undefined,
  range: string | undefined,
  fault: Fault | undefined,
): Plan {
  if (fault?.kind === "status") {
    const headers: Record<string, string> =
      fault.retryAfter === undefined ? {} : { "Retry-After": fault.retryAfter };
    return { status: fault.status, headers, body: noBody };
  }
  if (fault?.kind === "html") {
    const body = new TextEncoder().encode("<!doctype html><title>Sign in</title>");
    return { status: 200, headers: { "Content-Type": "text/html; charset=utf-8" }, body };
  }
  if (fault?.kind === "redirect-to-itself") return { status: 302, headers: { Location: "" }, body: noBody };
  if (content === undefined) return { status: 404, headers: {}, body: noBody };
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  if (first === undefined || fault?.kind === "ignore-range") {
    return { status: 200, headers: { "Content-Type": "application/octet-stream" }, body: content };
  }
  const start = Number(first);
  if (start >= content.byteLength) {
    return { status: 416, headers: { "Content-Range": `bytes */${content.byteLength}` }, body: noBody };
  }
  const end = Math.min(
    last === undefined || last === "" ? content.byteLength : Number(last) + 1,
    content.byteLength,
  );
  const real = `bytes ${start}-${end - 1}/${content.byteLength}`;
  const shown = fault?.kind === "content-range" ? fault.value : real;
  const body = content.subarray(start, end);
  return {
    status: 206,
    headers: {
      "Content-Type": "application/octet-stream",
      ...(shown === undefined ? {} : { "Content-Range": shown }),
      ...(fault?.kind === "gzip" && { "Content-Encoding": "gzip" }),
    },
    body:
      fault?.kind === "gzip"
        ? gzipSync(body)
        : fault?.kind === "extra-bytes"
          ? new Uint8Array([...body, 0])
          : body,
  };
}

/** Sent without Content-Length, so that a body that ends early is not told by the transfer itself. */
async function sendBody(response: ServerResponse, body: Uint8Array, fault: Fault | undefined): Promise<void> {
  if (fault?.kind !== "short-body" && fault?.kind !== "reset" && fault?.kind !== "stall") {
    response.end(body);
    return;
  }
  response.flushHeaders();
  await new Promise<void>((resolve) => {
    response.write(body.subarray(0, fault.afterBytes), () => resolve());
  });
  if (fault.kind === "short-body") response.end();
  // A moment, so that the part that was sent arrives before the connection breaks.
  if (fault.kind === "reset") setTimeout(() => response.destroy(), 20);
}
