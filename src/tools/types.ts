import type { ChatEvent, ChatRequest, FinishReason, GenerateStats } from "../runtime/types.ts";
import type { RecoveryEvent } from "../text/chat-stream.ts";
import type { BuiltinToolName, ChatMessage, ToolCall } from "../text/chat-types.ts";
import type { FunctionTool } from "../text/types.ts";

/** Anything that answers chats: the engine in a worker or the one in this process. */
export interface ChatEngine {
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
}

/** What runs a call is given besides its arguments. */
export interface ToolContext {
  /** Fires when the request is aborted or the call's time is over; its result is not waited for any longer. */
  readonly signal: AbortSignal;
}

/** A function the model may call, and what it does. */
export interface RunnableFunction extends FunctionTool {
  /**
   * Runs a call whose arguments satisfy `parameters`. A string goes back to the model as it is, anything else as
   * JSON; what it throws goes back as text.
   */
  run(args: unknown, context: ToolContext): unknown;
  /** Default: `RunToolsOptions.timeoutMs`. */
  readonly timeoutMs?: number;
}

/** Text with its citations replaced by links, and where they are. */
export interface AnnotatedText {
  readonly text: string;
  readonly annotations: readonly UrlCitation[];
}

/** A link in a text, as OpenAI's APIs write it; indices are UTF-16 units of the text, the end is exclusive. */
export interface UrlCitation {
  readonly type: "url_citation";
  readonly start_index: number;
  readonly end_index: number;
  readonly url: string;
  readonly title: string;
}

/** A tool that harmony describes itself. Make one per conversation: it remembers. */
export interface BuiltinTool {
  readonly name: BuiltinToolName;
  /** Default: `RunToolsOptions.timeoutMs`. */
  readonly timeoutMs?: number;
  /** Answers a call, as text for the model. @throws ToolFailure where the model must hear of a failure */
  run(call: ToolCall, context: ToolContext): Promise<string>;
  /** Resolves the citations of this tool's results in an answer. */
  annotate?(text: string): AnnotatedText;
}

/** Why a call has no result of its own. */
export type ToolFailureReason = "denied" | "unknown-tool" | "invalid-arguments" | "failed" | "timeout";

/** One departure of a call's arguments from the function's schema. */
export interface ArgumentProblem {
  /** JSON pointer to the offending value; empty for the arguments as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface RunToolsOptions {
  /** Default none. */
  readonly functions?: readonly RunnableFunction[];
  /** Default none. */
  readonly builtins?: readonly BuiltinTool[];
  /**
   * Asked before every call whose arguments are valid; `always` runs them all. Default: every call is refused.
   */
  readonly approve?: "always" | ((call: NumberedCall) => boolean | Promise<boolean>);
  /** Answers of the model that may end in a call. After that it must answer without tools. Default 8. */
  readonly maxRounds?: number;
  /** Longest run of a call, without the wait for approval. Default 60 000. */
  readonly timeoutMs?: number;
  /** Longer results are cut, and the model is told so, lest they fill the context. Default 20 000. */
  readonly maxResultCharacters?: number;
}

/** A call and its place in the turn, from 0, by which its events belong together. */
export interface NumberedCall extends ToolCall {
  readonly id: number;
}

/** A chat with tools: the tools are named in the options, with what runs them. */
export type ToolsRequest = Omit<ChatRequest, "tools" | "builtinTools">;

/** What happens to a call, after its `tool-call`. `result` is the text that goes back to the model. */
export type ToolEvent =
  /** It was approved and runs. */
  | { readonly type: "tool-start"; readonly call: NumberedCall; readonly approvalMs: number }
  | {
      readonly type: "tool-result";
      readonly call: NumberedCall;
      readonly result: string;
      readonly durationMs: number;
      /** Absent where the tool did its work. */
      readonly failure?: Exclude<ToolFailureReason, "denied" | "invalid-arguments">;
    }
  | {
      readonly type: "tool-denied";
      readonly call: NumberedCall;
      readonly result: string;
      readonly approvalMs: number;
    }
  | {
      readonly type: "invalid-arguments";
      readonly call: NumberedCall;
      readonly result: string;
      readonly problems: readonly ArgumentProblem[];
    };

/** How a turn ended: `tool-call` only under an engine whose model can call after the last round, which this one's cannot. */
export type TurnFinishReason = FinishReason | "tool-call";

/** A streamed turn with tools. */
export type ToolsEvent =
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "content"; readonly text: string }
  | ({ readonly type: "tool-call" } & NumberedCall)
  | RecoveryEvent
  | ToolEvent
  /** One answer of the model is complete. */
  | {
      readonly type: "round-done";
      readonly round: number;
      readonly finishReason: TurnFinishReason;
      readonly stats: GenerateStats;
    }
  /** The last event. */
  | {
      readonly type: "done";
      readonly finishReason: TurnFinishReason;
      /** Of the last round. */
      readonly stats: GenerateStats;
      /** Everything the turn added: append it to the history. */
      readonly messages: readonly ChatMessage[];
      /** The last answer, with citations of built-in tools resolved. */
      readonly answer: AnnotatedText;
    };

/** What a tool throws to tell the model of a failure in its own words. */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
}
