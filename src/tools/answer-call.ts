import { EngineError, throwIfAborted } from "../errors.ts";
import { checkArguments, describeProblems } from "./check-arguments.ts";
import type {
  BuiltinTool,
  NumberedCall,
  RunnableFunction,
  RunToolsOptions,
  ToolContext,
  ToolEvent,
} from "./types.ts";
import { ToolFailure } from "./types.ts";

/** What stands ready to run calls. */
export interface Toolbox {
  readonly functions: ReadonlyMap<string, RunnableFunction>;
  readonly builtins: ReadonlyMap<string, BuiltinTool>;
  readonly approve: NonNullable<RunToolsOptions["approve"]> | undefined;
  readonly timeoutMs: number;
  readonly maxResultCharacters: number;
}

/** A call whose tool is known and whose arguments are valid. */
interface ReadyCall {
  readonly call: NumberedCall;
  readonly timeoutMs: number;
  run(context: ToolContext): unknown;
}

const deniedText = "Error: the user did not allow this call. Do without it, or ask the user.";

/**
 * Takes a call from the model's text to the text of its result: finds the tool, checks the arguments, asks for
 * approval, runs it. Whatever goes wrong on the way becomes a result that tells the model.
 * @throws aborted, and what `approve` throws
 */
export async function* answerCall(
  call: NumberedCall,
  toolbox: Toolbox,
  signal: AbortSignal | undefined,
): AsyncGenerator<ToolEvent, string> {
  const ready = prepare(call, toolbox);
  if ("type" in ready) {
    yield ready;
    return ready.result;
  }
  const askedMs = performance.now();
  const isApproved = await approval(call, toolbox.approve, signal);
  const approvalMs = performance.now() - askedMs;
  if (!isApproved) {
    yield { type: "tool-denied", call, result: deniedText, approvalMs };
    return deniedText;
  }
  yield { type: "tool-start", call, approvalMs };
  throwIfAborted(signal);
  const event = await runReady(ready, toolbox.maxResultCharacters, signal);
  yield event;
  return event.result;
}

/** The call made ready, or the event that says why it cannot run. */
function prepare(
  call: NumberedCall,
  { functions, builtins, timeoutMs }: Toolbox,
): ReadyCall | ToolEventWithResult {
  const tool = functions.get(call.name);
  if (tool !== undefined) {
    const checked = checkArguments(tool, call.arguments);
    if (!checked.ok) {
      const { problems } = checked;
      return { type: "invalid-arguments", call, problems, result: describeProblems(tool, problems) };
    }
    const run = (context: ToolContext) => tool.run(checked.value, context);
    return { call, run, timeoutMs: tool.timeoutMs ?? timeoutMs };
  }
  const builtin = builtins.get(call.name.split(".", 1)[0] ?? "");
  if (builtin !== undefined) {
    const run = (context: ToolContext) => builtin.run(call, context);
    return { call, run, timeoutMs: builtin.timeoutMs ?? timeoutMs };
  }
  const names = [...functions.keys(), ...builtins.keys()].join(", ");
  const result = `Error: there is no tool named ${call.name}. ${names === "" ? "There are none." : `Known: ${names}.`}`;
  return { type: "tool-result", call, result, durationMs: 0, failure: "unknown-tool" };
}

type ToolEventWithResult = Extract<ToolEvent, { result: string }>;

async function approval(
  call: NumberedCall,
  approve: Toolbox["approve"],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (approve === undefined) return false;
  if (approve === "always") return true;
  // Only `true` runs a call: what is no clear yes is a no.
  return (await untilAborted(Promise.resolve(approve(call)), signal)) === true;
}

type ToolResultEvent = Extract<ToolEvent, { type: "tool-result" }>;

async function runReady(
  { call, run, timeoutMs }: ReadyCall,
  maxCharacters: number,
  signal: AbortSignal | undefined,
): Promise<ToolResultEvent> {
  const startedMs = performance.now();
  const result = (text: string, failure?: ToolResultEvent["failure"]): ToolResultEvent => ({
    type: "tool-result",
    call,
    result: shortened(text, maxCharacters),
    durationMs: performance.now() - startedMs,
    ...(failure === undefined ? {} : { failure }),
  });
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new DOMException("Timed out", "TimeoutError")), timeoutMs);
  const inner = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  try {
    return result(resultText(await untilAborted(started(run, { signal: inner }), inner)));
  } catch (error) {
    if (signal?.aborted) throw aborted();
    if (ending.signal.aborted) {
      return result(
        `Error: ${call.name} did not finish within ${timeoutMs / 1000} s and was ended.`,
        "timeout",
      );
    }
    return result(failureText(call.name, error), "failed");
  } finally {
    clearTimeout(timer);
    // What a handler left running is over with its call.
    ending.abort();
  }
}

/** A handler may throw before it returns a promise. */
async function started(run: ReadyCall["run"], context: ToolContext): Promise<unknown> {
  return run(context);
}

/** Settles as the promise does, or rejects when the signal fires. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let stop = (): void => {};
  const fired = new Promise<never>((_, reject) => {
    stop = () => reject(aborted());
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, fired]);
  } finally {
    signal.removeEventListener("abort", stop);
    promise.catch(() => {}); // it may still reject, with nobody listening
  }
}

function aborted(): EngineError {
  return new EngineError("aborted", "The request was aborted.");
}

/** What a handler returned, as text for the model. */
function resultText(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value ?? null) ?? String(value);
}

function failureText(name: string, error: unknown): string {
  if (error instanceof ToolFailure) return error.message;
  return `Error: ${name} failed: ${error instanceof Error ? error.message : shown(error)}`;
}

/** A handler may throw anything, also what has no text. */
function shown(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "it threw an object without a text";
  }
}

function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  // A cut between the halves of a surrogate pair would leave a broken character.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(maxCharacters - 1)) ? maxCharacters - 1 : maxCharacters;
  return `${text.slice(0, end)}\n[cut: ${text.length - end} more characters]`;
}
