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
  /** Wait before the first retry in ms; doubles each time, and is drawn out at random up to twofold. */
  readonly retryDelayMs: number;
}

/** How retries stop and show. */
export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the try that just failed brought something; then the count starts anew. */
  readonly hasHeadway?: () => boolean;
  /** Told before a wait of seconds, how many ms it takes. */
  readonly onWait?: ((waitMs: number) => void) | undefined;
}

/** Longest wait that a server's Retry-After can ask for where the user is told: the hub's limits of requests count 5 minutes. */
const maxToldRetryAfterMs = 600_000;
/** And where nobody is told. */
const maxRetryAfterMs = 60_000;
/** Shorter waits are not worth telling. */
const minToldMs = 5000;

/**
 * Runs `attempt` until it succeeds, fails for good, or has failed `retries` times in a row without headway. Where the
 * server asks for a longer wait than the user should be kept waiting for, the error says how long it is.
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const maxAskedMs = options.onWait === undefined ? maxRetryAfterMs : maxToldRetryAfterMs;
  for (let failures = 0; ; ) {
    throwIfAborted(options.signal);
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      failures = options.hasHeadway?.() ? 1 : failures + 1;
      const askedMs = error.retryAfterMs ?? 0;
      if (failures > policy.retries || askedMs > maxAskedMs) throw givenUp(error, failures);
      const backOffMs = policy.retryDelayMs * 2 ** (failures - 1);
      // Never sooner than asked, and the connections of a download not all at the same moment.
      const waitMs = Math.max(askedMs, backOffMs) + Math.random() * backOffMs;
      if (waitMs >= minToldMs) options.onWait?.(waitMs);
      throwIfAborted(options.signal); // by whoever was told
      await sleep(waitMs, options.signal);
    }
  }
}

function givenUp(error: TransientError, failures: number): EngineError {
  const times = failures === 1 ? "" : ` Gave up after ${failures} tries.`;
  const minutes = Math.ceil((error.retryAfterMs ?? 0) / 60_000);
  const later = minutes > 0 ? ` The server asks to wait ${minutes} min: try again then.` : "";
  return new EngineError("download-failed", `${error.message}${times}${later}`, {
    details: { ...error.details, tries: failures },
    cause: error.cause,
  });
}

/** Retry-After (seconds or an HTTP date, RFC 9110 10.2.3) in ms from now; `undefined` where absent or unreadable. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  if (!/^\s*[A-Za-z]/.test(header)) return undefined; // Date.parse takes "-5" for a month
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
