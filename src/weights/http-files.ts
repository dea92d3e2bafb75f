import { EngineError } from "../errors.ts";
import { isPlainFileName } from "../format/file-name.ts";
import { compareVersions, storedFile } from "./file-version.ts";
import { type Fetch, httpGet, refused } from "./http-request.ts";
import { type RetryPolicy, TransientError, withRetries } from "./retry.ts";
import { resolveSourceUrl } from "./source-url.ts";
import type { ByteRange, FetchRangeOptions, FileStat, PauseSwitch, RemoteFiles } from "./types.ts";

export interface HttpFilesOptions {
  /** Folder of the checkpoint, or the page of a Hugging Face repository; see `resolveSourceUrl`. */
  readonly baseUrl: string;
  /** Absolute address that a relative `baseUrl` starts from. */
  readonly relativeTo?: string;
  /** Sent with every request to `baseUrl`; fetch drops Authorization where a redirect leads to another origin. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sizes known from a listing, by file: a server that says otherwise is refused, and ETags are not compared. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** Default: the global fetch. */
  readonly fetch?: Fetch;
  /** A server silent for this long counts as failed. Default 30 000. */
  readonly idleTimeoutMs?: number;
  /** Tries after the first, counted anew after headway. Default 5. */
  readonly retries?: number;
  /** Wait before the first retry; doubles each time. Default 500. */
  readonly retryDelayMs?: number;
}

/** Longest text file accepted; tokenizer.json of gpt-oss has 28 MB. */
const maxTextBytes = 128 * 1024 * 1024;
/** A broken transfer that brought at least this much does not use up a retry. */
const headwayBytes = 64 * 1024;

interface Http {
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
  readonly idleTimeoutMs: number;
  readonly policy: RetryPolicy;
  /** What the server last said about each file; parts of one file must not come from two versions of it. */
  readonly stats: Map<string, FileStat>;
}

/**
 * A checkpoint folder behind HTTP, read by Range requests. Every range must be answered with 206, the range
 * asked for and all of its bytes; transfers that break off are taken up where they stopped.
 * @throws request-invalid where `baseUrl` is unusable; the methods throw download-failed | aborted
 */
export function createHttpFiles(options: HttpFilesOptions): RemoteFiles {
  const http: Http = {
    baseUrl: resolveSourceUrl(options.baseUrl, options.relativeTo),
    headers: options.headers ?? {},
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
    policy: { retries: options.retries ?? 5, retryDelayMs: options.retryDelayMs ?? 500 },
    stats: new Map(
      [...(options.sizes ?? [])].map(([name, sizeBytes]) => [name, { sizeBytes, etag: undefined }]),
    ),
  };
  return {
    id: http.baseUrl,
    readText: (name, signal) => fetchText(http, name, signal),
    stat: (name, signal) => fetchStat(http, name, signal),
    sizeBytes: async (name, signal) =>
      (http.stats.get(name) ?? (await fetchStat(http, name, signal))).sizeBytes,
    read: (name, startBytes, endBytes, signal) =>
      fetchRange(http, name, { startBytes, endBytes }, { signal }),
    fetchRange: (name, range, fetchOptions) => fetchRange(http, name, range, fetchOptions),
  };
}

async function fetchText(http: Http, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const url = fileUrl(http, name);
  return withRetries(http.policy, () => fetchTextOnce(http, url, signal), { signal });
}

async function fetchTextOnce(http: Http, url: string, signal?: AbortSignal): Promise<string | undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text: string | undefined;
  let sizeBytes = 0;
  await httpGet(http.fetch, http.idleTimeoutMs, {
    url,
    // Not `*/*`: development servers answer that with their start page where a file is missing.
    headers: {
      Accept: "application/json, text/plain;q=0.9, application/octet-stream;q=0.8",
      ...http.headers,
    },
    cache: "no-cache",
    signal,
    onResponse(response) {
      if (response.status === 404 || response.status === 410) return false;
      checkNotExpired(url, response);
      if (response.status !== 200) throw refused(url, response.status, statusReason(response.status));
      if (isHtml(response)) throw htmlPage(url, response.status);
      text = "";
      return true;
    },
    onPiece(piece) {
      sizeBytes += piece.byteLength;
      if (sizeBytes > maxTextBytes) throw refused(url, 200, `it is longer than ${maxTextBytes} bytes`);
      text += decodeText(decoder, url, piece);
    },
  });
  if (text === undefined) return undefined;
  text += decodeText(decoder, url);
  if (/^\s*<(!doctype|html)/i.test(text)) throw htmlPage(url, 200);
  return text;
}

function decodeText(decoder: TextDecoder, url: string, piece?: Uint8Array): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch (cause) {
    throw new EngineError("download-failed", `Downloading ${url} failed: the text is not UTF-8.`, {
      details: { url, status: 200 },
      cause,
    });
  }
}

async function fetchStat(http: Http, name: string, signal?: AbortSignal): Promise<FileStat> {
  const url = fileUrl(http, name);
  // A range of two bytes, not HEAD: compressing servers and signed addresses answer HEAD differently. Not of one byte:
  // sirv, in Vite's dev and preview servers, takes "0-0" for the whole file.
  const range = { startBytes: 0, endBytes: 2 };
  let stat: FileStat | undefined;
  await withRetries(
    http.policy,
    () =>
      httpGet(http.fetch, http.idleTimeoutMs, {
        ...rangeRequest(http, url, range, signal),
        onResponse(response) {
          stat = checkPartial(url, response, range);
          return true; // reading the bytes keeps the connection usable
        },
        onPiece(piece) {
          if (piece.byteLength > 2)
            throw refused(url, 206, "the server sent more than the 2 bytes asked for");
        },
      }),
    { signal },
  );
  if (stat === undefined) throw new EngineError("internal", `No answer was read for ${url}.`);
  http.stats.set(name, stat);
  return stat;
}

async function fetchRange(
  http: Http,
  name: string,
  { startBytes, endBytes }: ByteRange,
  { signal, onBytes, onWait, pause }: FetchRangeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const url = fileUrl(http, name);
  const bytes = new Uint8Array(endBytes - startBytes);
  let filled = 0;
  let filledBefore = 0;
  const fetchRest = async (trySignal: AbortSignal | undefined) => {
    filledBefore = filled;
    const range = { startBytes: startBytes + filled, endBytes };
    await httpGet(http.fetch, http.idleTimeoutMs, {
      ...rangeRequest(http, url, range, trySignal),
      onResponse(response) {
        checkUnchanged(http, name, url, checkPartial(url, response, range));
        return true;
      },
      onPiece(piece) {
        if (filled + piece.byteLength > bytes.byteLength) {
          throw refused(url, 206, `the server sent more than the ${bytes.byteLength} bytes asked for`);
        }
        bytes.set(piece, filled);
        filled += piece.byteLength;
        onBytes?.(piece.byteLength);
      },
    });
    if (filled < bytes.byteLength) {
      const got = `the body ended after ${filled} of ${bytes.byteLength} bytes`;
      throw new TransientError(`Downloading ${url} failed: ${got}.`, { details: { url, status: 206 } });
    }
  };
  if (bytes.byteLength > 0) {
    await withRetries(http.policy, () => untilNotPaused(fetchRest, pause, signal), {
      signal,
      onWait,
      hasHeadway: () => filled - filledBefore >= headwayBytes,
    });
  }
  return bytes;
}

/** Runs a transfer; a pause ends it, and it goes on where it stopped when the pause is over. */
async function untilNotPaused(
  transfer: (signal: AbortSignal | undefined) => Promise<void>,
  pause: PauseSwitch | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (pause === undefined) return transfer(signal);
  for (;;) {
    await pause.resumed(signal);
    const paused = pause.signal;
    try {
      return await transfer(signal === undefined ? paused : AbortSignal.any([signal, paused]));
    } catch (error) {
      if (!paused.aborted || signal?.aborted) throw error;
    }
  }
}

function rangeRequest(
  http: Http,
  url: string,
  { startBytes, endBytes }: ByteRange,
  signal: AbortSignal | undefined,
) {
  const range = `bytes=${startBytes}-${endBytes - 1}`;
  return {
    url,
    headers: { Accept: "application/octet-stream", Range: range, ...http.headers },
    cache: "no-store", // the chunks have their own store; the browser's cache would hold them a second time
    signal,
  } as const;
}

/** Checks that a response carries exactly the range asked for; returns what it says about the whole file. */
function checkPartial(url: string, response: Response, { startBytes, endBytes }: ByteRange): FileStat {
  const { status, headers } = response;
  checkNotExpired(url, response);
  if (status === 200) {
    if (isHtml(response)) throw htmlPage(url, status);
    throw refused(
      url,
      status,
      "the server ignored the Range header and sent the whole file; use a server that supports Range requests",
    );
  }
  if (status === 416) throw refused(url, status, `the file is shorter than ${startBytes + 1} bytes`);
  if (status !== 206) throw refused(url, status, statusReason(status));
  const contentRange = headers.get("content-range");
  if (contentRange === null) {
    throw refused(
      url,
      status,
      "the answer shows no Content-Range; the server must send it and list it in Access-Control-Expose-Headers",
    );
  }
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange.trim()) ?? [];
  if (Number(first) !== startBytes || Number(last) !== endBytes - 1 || !Number.isSafeInteger(Number(total))) {
    const asked = `bytes ${startBytes}-${endBytes - 1}`;
    throw refused(url, status, `asked for ${asked}, but the server answered Content-Range "${contentRange}"`);
  }
  return {
    sizeBytes: Number(total),
    etag: headers.get("etag") ?? undefined,
    lastModified: headers.get("last-modified") ?? undefined,
  };
}

/**
 * A refusal by the server that a redirect led to means that the address it signed has expired: the next try starts at
 * `url` again and gets a fresh one.
 */
function checkNotExpired(url: string, response: Response): void {
  if (!response.redirected || (response.status !== 403 && response.status !== 401)) return;
  const to = new URL(response.url).host;
  throw new TransientError(
    `Downloading ${url} failed: ${to}, to which the server redirects, refused access (${response.status}).`,
    { details: { url, status: response.status } },
  );
}

function checkUnchanged(http: Http, name: string, url: string, now: FileStat): void {
  const before = http.stats.get(name);
  if (before === undefined) {
    http.stats.set(name, now);
    return;
  }
  if (compareVersions(storedFile(name, before), storedFile(name, now)) !== "changed") return;
  throw new EngineError(
    "download-failed",
    `Downloading ${url} failed: the file changed on the server while it was being fetched (${now.sizeBytes} bytes, before ${before.sizeBytes}); start the download again.`,
    { details: { url, status: 206, reason: "file-changed" } },
  );
}

function fileUrl(http: Http, name: string): string {
  if (!isPlainFileName(name)) {
    throw new EngineError("request-invalid", `"${name}" is not a plain file name.`, {
      details: { file: name },
    });
  }
  return http.baseUrl + name;
}

function isHtml(response: Response): boolean {
  return /^\s*text\/html/i.test(response.headers.get("content-type") ?? "");
}

function htmlPage(url: string, status: number): EngineError {
  return refused(
    url,
    status,
    "the server answered with an HTML page instead of the file; check the address, and that the server answers 404 for missing files",
  );
}

function statusReason(status: number): string {
  if (status === 404 || status === 410) return `the server has no such file (${status})`;
  if (status === 401 || status === 403)
    return `the server refused access (${status}); the repository may be gated or private: accept its terms on its page and pass an access token`;
  return `the server answered ${status}`;
}
