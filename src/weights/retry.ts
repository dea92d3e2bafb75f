import { EngineError, type ErrorDetails, throwIfAborted } from "../errors.ts";

/** A download failure that may pass: the network, an overloaded server, a body cut short. */
export class TransientError extends EngineError {
  /** How long the server asked us to wait, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { details: ErrorDetails; cause?: unknown; retryAfterMs?: number | undefined },
  ) {
    super("download-failed", message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface RetryPolicy {
  /** Tries after the first one, counted anew whenever a try made headway. */
  readonly retries: number;
  /** Wait before the first retry in ms; doubles each time. */
  readonly retryDelayMs: number;
}

/** Longest wait that a server's Retry-After can ask for. */
const maxRetryAfterMs = 60_000;

/**
 * Runs `attempt` until it succeeds, fails for good, or has failed `retries` times in a row without headway.
 * `hasHeadway` says whether the try that just failed brought something; then the count starts anew.
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  options: { readonly signal?: AbortSignal | undefined; readonly hasHeadway?: () => boolean },
): Promise<T> {
  for (let failures = 0; ; ) {
    throwIfAborted(options.signal);
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      failures = options.hasHeadway?.() ? 1 : failures + 1;
      if (failures > policy.retries) throw givenUp(error, failures);
      const backOffMs = policy.retryDelayMs * 2 ** (failures - 1);
      await sleep(Math.min(Math.max(error.retryAfterMs ?? 0, backOffMs), maxRetryAfterMs), options.signal);
    }
  }
}

function givenUp(error: TransientError, failures: number): EngineError {
  const times = failures === 1 ? "" : ` Gave up after ${failures} tries.`;
  return new EngineError("download-failed", `${error.message}${times}`, {
    details: { ...error.details, tries: failures },
    cause: error.cause,
  });
}

/** Retry-After (seconds or an HTTP date) in ms from now; `undefined` where absent or unreadable. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(new EngineError("aborted", "The request was aborted."));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
