import { EngineError, isEngineError } from "../errors.ts";
import type { ChatEvent, ChatRequest, GenerateStats } from "../runtime/types.ts";
import type { ChatMessage, ToolCall } from "../text/chat-types.ts";
import type { FunctionTool } from "../text/types.ts";
import { answerCall, type Toolbox } from "./answer-call.ts";
import type {
  AnnotatedText,
  ChatEngine,
  NumberedCall,
  RunnableFunction,
  RunToolsOptions,
  ToolContext,
  ToolsEvent,
  ToolsRequest,
  TurnFinishReason,
} from "./types.ts";

const defaultMaxRounds = 8;
const defaultTimeoutMs = 60_000;
const defaultMaxResultCharacters = 20_000;
const separator = "\n\n";

/** One answer of the model, gathered from its events. */
interface Round {
  readonly reasoning: string;
  readonly content: string;
  readonly calls: readonly NumberedCall[];
  readonly finishReason: TurnFinishReason;
  readonly stats: GenerateStats;
}

/** What goes on from round to round. */
interface Turn {
  /** Kinds of text that the caller has seen some of. */
  readonly shown: Set<string>;
  /** The model needs its reasoning until it has answered; the caller is not to see it. */
  readonly hidesReasoning: boolean;
  numCalls: number;
}

/**
 * Answers a conversation with tools: passes on what the model writes, runs the calls it makes and asks it again,
 * until it answers without a call. No tool is on unless the options name it, and none runs unapproved. What goes
 * wrong with a call goes back to the model as text. After `maxRounds` answers that ended in calls it must answer
 * without tools. An abort ends the turn with finish reason `aborted` and the messages of its complete rounds.
 * A `toolChoice` that demands a call holds for the first answer only.
 * @throws request-invalid for two tools of one name, or parameters that are no usable JSON schema; what `engine.chat` and `approve` throw
 */
export async function* runTools(
  engine: ChatEngine,
  request: ToolsRequest,
  options: RunToolsOptions = {},
): AsyncGenerator<ToolsEvent, void> {
  const toolbox = openToolbox(options);
  const { signal } = request;
  const added: ChatMessage[] = [];
  const turn: Turn = { shown: new Set(), numCalls: 0, hidesReasoning: request.reasoning?.exclude === true };
  for (let roundIndex = 0; ; roundIndex++) {
    const roundsLeft = (options.maxRounds ?? defaultMaxRounds) - roundIndex;
    const chatRequest = requestOfRound(request, added, { toolbox, roundIndex, roundsLeft });
    const round = yield* oneRound(engine, chatRequest, turn);
    const { finishReason, stats } = round;
    yield { type: "round-done", round: roundIndex, finishReason, stats };

    if (finishReason !== "tool-call" || round.calls.length === 0 || roundsLeft <= 0) {
      added.push(...answerMessages(round));
      yield doneEvent(round, added, { toolbox, turn });
      return;
    }
    const results: ChatMessage[] = [];
    try {
      for (const call of round.calls) {
        const content = yield* answerCall(call, toolbox, signal);
        results.push({ role: "tool", name: call.name, content });
      }
    } catch (error) {
      if (!isEngineError(error, "aborted") || signal?.aborted !== true) throw error;
      yield doneEvent({ ...round, content: "", finishReason: "aborted" }, added, { toolbox, turn });
      return;
    }
    added.push(callMessage(round), ...results);
  }
}

/** A function with the types of its arguments, which `parameters` must describe: they are checked before each call. */
export function defineFunction<Arguments>(
  definition: FunctionTool,
  run: (args: Arguments, context: ToolContext) => unknown,
): RunnableFunction {
  return { ...definition, run: (args, context) => run(args as Arguments, context) };
}

function openToolbox(options: RunToolsOptions): Toolbox {
  const { functions = [], builtins = [], maxRounds = defaultMaxRounds } = options;
  if (!(maxRounds >= 0)) {
    throw new EngineError("request-invalid", `maxRounds must be a number from 0, got ${maxRounds}.`);
  }
  const names = [...functions, ...builtins].map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) {
    throw new EngineError("request-invalid", `Two tools are named "${double}". Give each a name of its own.`);
  }
  return {
    functions: new Map(functions.map((tool) => [tool.name, tool])),
    builtins: new Map(builtins.map((tool) => [tool.name, tool])),
    approve: options.approve,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    maxResultCharacters: options.maxResultCharacters ?? defaultMaxResultCharacters,
  };
}

function requestOfRound(
  request: ToolsRequest,
  added: readonly ChatMessage[],
  { toolbox, roundIndex, roundsLeft }: { toolbox: Toolbox; roundIndex: number; roundsLeft: number },
): ChatRequest {
  const { toolChoice, reasoning, ...others } = request;
  const rest = {
    ...others,
    ...(reasoning === undefined ? {} : { reasoning: { ...reasoning, exclude: false } }),
    // The loop needs the reasoning and hides it itself, which takes an answer whose channels can be trusted.
    ...(reasoning?.exclude === true ? { guided: true } : {}),
  };
  const messages = [...request.messages, ...added];
  // The last answer is asked for without tools, so that the turn ends in one.
  if (roundsLeft <= 0) return { ...rest, messages, toolChoice: "none" };
  const tools = [...toolbox.functions.values()].map(({ run: _, timeoutMs: __, ...definition }) => definition);
  const builtinTools = [...toolbox.builtins.values()].map(({ name }) => name);
  // A demand is met by the first call; kept up, it would never let the model answer.
  const choice = roundIndex === 0 || toolChoice === "none" ? toolChoice : undefined;
  return {
    ...rest,
    messages,
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(builtinTools.length === 0 ? {} : { builtinTools }),
  };
}

/** Passes on the events of one answer; its text is parted from that of earlier rounds by a blank line. */
async function* oneRound(
  engine: ChatEngine,
  request: ChatRequest,
  turn: Turn,
): AsyncGenerator<ToolsEvent, Round> {
  const text = { reasoning: "", content: "" };
  const calls: NumberedCall[] = [];
  let done: Extract<ChatEvent, { type: "done" }> | undefined;
  // To its very end: leaving the loop at `done` would count as an abort, and the engine would still be busy.
  for await (const event of engine.chat(request)) {
    switch (event.type) {
      case "reasoning":
      case "content": {
        const { type, text: piece } = event;
        const isFollowing = text[type] === "" && turn.shown.has(type);
        text[type] += piece;
        if (type === "reasoning" && turn.hidesReasoning) break;
        turn.shown.add(type);
        yield { type, text: isFollowing ? separator + piece : piece };
        break;
      }
      case "tool-call": {
        const call = { id: turn.numCalls++, name: headerName(event.name), arguments: event.arguments };
        calls.push(call);
        yield { type: "tool-call", ...call };
        break;
      }
      case "recovery":
        yield turn.hidesReasoning ? { ...event, text: "" } : event; // it may be a piece of reasoning
        break;
      case "done":
        done = event;
        break;
      default:
        event satisfies never;
    }
  }
  if (done === undefined)
    throw new EngineError("internal", "The engine's answer ended without a done event.");
  return { ...text, calls, finishReason: done.finishReason, stats: done.stats };
}

/** What a model writes as a name goes back into a header, whose words are parted by white space. */
function headerName(name: string): string {
  return name.trim().replace(/\s+/g, "_") || "unnamed";
}

function callMessage({ content, reasoning, calls }: Round): ChatMessage {
  const toolCalls = calls.map(({ name, arguments: text }): ToolCall => ({ name, arguments: text }));
  return { role: "assistant", content, toolCalls, ...(reasoning === "" ? {} : { reasoning }) };
}

/** The last answer; nothing where nothing was answered. */
function answerMessages({ content, reasoning }: Round): ChatMessage[] {
  if (content === "" && reasoning === "") return [];
  return [{ role: "assistant", content, ...(reasoning === "" ? {} : { reasoning }) }];
}

function doneEvent(
  { finishReason, stats, content }: Round,
  added: readonly ChatMessage[],
  { toolbox, turn }: { toolbox: Toolbox; turn: Turn },
): ToolsEvent {
  const messages = turn.hidesReasoning ? added.map(withoutReasoning) : [...added];
  return { type: "done", finishReason, stats, messages, answer: annotated(content, toolbox) };
}

function withoutReasoning(message: ChatMessage): ChatMessage {
  if (message.role !== "assistant") return message;
  const { reasoning: _, ...rest } = message;
  return rest;
}

function annotated(text: string, { builtins }: Toolbox): AnnotatedText {
  for (const builtin of builtins.values()) if (builtin.annotate !== undefined) return builtin.annotate(text);
  return { text, annotations: [] };
}
