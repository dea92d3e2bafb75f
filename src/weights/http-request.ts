import { EngineError } from "../errors.ts";
import { parseRetryAfter, TransientError } from "./retry.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpGet {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly cache: RequestCache;
  readonly signal: AbortSignal | undefined;
  /** Looks at status and headers before the body is read; throws to refuse. Returns true to read the body. */
  readonly onResponse: (response: Response) => boolean;
  readonly onPiece: (piece: Uint8Array) => void;
}

/** 520 to 524 and 529: Cloudflare, where the server behind it fails or is overloaded. */
const transientStatuses: readonly number[] = [
  ...[408, 425, 429, 500, 502, 503, 504],
  ...[520, 521, 522, 523, 524, 529],
];

/**
 * One GET whose body is handed on piece by piece. A server that sends nothing for `idleTimeoutMs` counts as
 * failed, because a stalled socket otherwise hangs for ever.
 * @throws TransientError | download-failed | aborted
 */
export async function httpGet(fetch: Fetch, idleTimeoutMs: number, get: HttpGet): Promise<void> {
  const watch = watchIdle(idleTimeoutMs, get.signal);
  try {
    const request = fetch(get.url, { headers: get.headers, cache: get.cache, signal: watch.signal });
    const response = await Promise.race([request, watch.stopped]);
    if (transientStatuses.includes(response.status)) throw busyServer(get.url, response);
    if (!get.onResponse(response)) return;
    const reader = response.body?.getReader();
    for (;;) {
      watch.restart();
      const piece = await Promise.race([reader?.read(), watch.stopped]);
      if (piece === undefined || piece.done) return;
      get.onPiece(piece.value);
    }
  } catch (error) {
    if (get.signal?.aborted) throw new EngineError("aborted", "The download was aborted.", { cause: error });
    if (error instanceof EngineError) throw error;
    const what = watch.timedOut()
      ? `the server sent nothing for ${idleTimeoutMs / 1000} s`
      : networkReason(error);
    throw new TransientError(`Downloading ${get.url} failed: ${what}.`, {
      details: { url: get.url },
      cause: error,
    });
  } finally {
    // Also ends the transfer of a body that was refused or not read to its end.
    watch.stop();
  }
}

/** The error for an answer that no retry will better. */
export function refused(url: string, status: number, what: string): EngineError {
  return new EngineError("download-failed", `Downloading ${url} failed: ${what}.`, {
    details: { url, status },
  });
}

function busyServer(url: string, response: Response): TransientError {
  return new TransientError(`Downloading ${url} failed: the server answered ${response.status}.`, {
    details: { url, status: response.status },
    retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), Date.now()),
  });
}

function networkReason(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `the network or the server broke off (${reason}); check the connection, and that the server allows this page (CORS)`;
}

function watchIdle(idleTimeoutMs: number, outer: AbortSignal | undefined) {
  const controller = new AbortController();
  // Node's fetch can leave read() pending for ever when the abort meets the end of the body, so a stop must
  // end the wait by itself.
  const stopped = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
  });
  stopped.catch(() => {});
  let timedOut = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => controller.abort();
  if (outer?.aborted) onAbort();
  outer?.addEventListener("abort", onAbort);
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timedOut = true;
      controller.abort();
    }, idleTimeoutMs);
  };
  restart();
  return {
    signal: controller.signal,
    stopped,
    restart,
    timedOut: () => timedOut,
    stop() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", onAbort);
      controller.abort();
    },
  };
}
