import { EngineError, toEngineError } from "../errors.ts";
import { checkOptions } from "../runtime/check-options.ts";
import { chatRules, generateRules } from "../runtime/option-tables.ts";
import type { ChatEvent, ChatRequest, GenerateOptions, Generation } from "../runtime/types.ts";
import type { CallId, Deliver, GenerationResult, HostApi } from "../worker/protocol.ts";
import { createBatchQueue } from "./batch-queue.ts";
import type { Connection } from "./connection.ts";
import { createDeferred } from "./deferred.ts";

/**
 * The items that a request delivers, in order. Starts at the first `next()`. Leaving the loop early aborts the
 * request and waits for its end, so that the next request does not meet `busy`.
 */
async function* stream<T, R>(
  connection: Connection,
  send: (host: HostApi, call: CallId, deliver: Deliver<T>) => Promise<R>,
  signal: AbortSignal | undefined,
  onResult: (result: R) => void,
): AsyncGenerator<T, void, undefined> {
  const queue = createBatchQueue<T>();
  const left = new AbortController();
  const deliver: Deliver<T> = async (batch) => queue.push(batch);
  const signals = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const ended = connection
    .call((host, call) => send(host, call, deliver), signals)
    .then(
      (result) => {
        onResult(result);
        queue.close();
      },
      (error: unknown) => queue.close(toEngineError(error)),
    );
  try {
    for (let batch = await queue.take(); batch !== undefined; batch = await queue.take()) yield* batch;
  } finally {
    left.abort();
    await ended;
  }
}

/** A chat over the connection. @throws request-invalid at once for a request that is none */
export function streamChat(connection: Connection, request: ChatRequest): AsyncIterable<ChatEvent> {
  checkOptions("chat", request, chatRules, ["messages"]);
  const { signal, ...rest } = request;
  return stream<ChatEvent, void>(
    connection,
    (host, call, deliver) => host.chat(call, rest, deliver),
    signal,
    () => {},
  );
}

/** A generation over the connection; `result` settles when the iteration has ended. */
export function streamTokens(
  connection: Connection,
  prompt: readonly number[],
  options: GenerateOptions,
): Generation {
  checkOptions("generate", options, generateRules, ["maxNewTokens"]);
  const { signal, ...rest } = options;
  const { promise, resolve, reject } = createDeferred<GenerationResult>();
  promise.catch(() => {}); // whoever iterates gets the error there
  async function* tokens(): AsyncGenerator<number, void, undefined> {
    try {
      yield* stream<number, GenerationResult>(
        connection,
        (host, call, deliver) => host.generate(call, prompt, rest, deliver),
        signal,
        resolve,
      );
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      reject(new EngineError("aborted", "The generation was left before its end."));
    }
  }
  return Object.assign(tokens(), { result: promise });
}
