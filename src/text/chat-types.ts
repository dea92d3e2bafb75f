import type { FunctionTool } from "./types.ts";

/** A call of a tool as the model wrote it. */
export interface ToolCall {
  /** As in the prompt's definitions: `get_weather` for a function, `browser.search` or `python` for a built-in tool. */
  readonly name: string;
  /** The body of the call: JSON for functions and browser, source text for python. Not checked. */
  readonly arguments: string;
}

/** One message of a conversation, as chat interfaces write it. */
export type ChatMessage =
  /** `system` becomes harmony's developer instructions. */
  | { readonly role: "system" | "user"; readonly content: string }
  | {
      readonly role: "assistant";
      /** The final answer of that turn; empty where the turn went on with a tool call. */
      readonly content: string;
      /** Its analysis. Rendered only while the turn is unfinished, that is between tool calls. */
      readonly reasoning?: string;
      /** The calls it made, in order, each answered by a `tool` message. */
      readonly toolCalls?: readonly ToolCall[];
    }
  /** What a tool returned. */
  | { readonly role: "tool"; readonly name: string; readonly content: string };

/** Tools whose definitions harmony has built in; they are described in the system message. */
export type BuiltinToolName = "browser" | "python";

/** Whether the model may, must not, or must call a function. */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** What the final channel must hold. Reasoning is never constrained. */
export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object" }
  | {
      readonly type: "json_schema";
      /** 1 to 64 letters, digits, `_` and `-`: the model reads it. */
      readonly name: string;
      readonly description?: string;
      /** JSON Schema, draft 2020-12 or earlier. */
      readonly schema: unknown;
    };

/** How much the model reasons, and what of it is shown. */
export interface ReasoningOptions {
  /**
   * Tokens of analysis after which its channel is closed and the answer begins. Default: no limit.
   * `runTools` gives it to each answer of a turn anew.
   */
  readonly maxTokens?: number;
  /** Leave all reasoning events out. Default false. */
  readonly exclude?: boolean;
}

/** The parts of a chat request that say what the model may do besides answering. */
export interface ChatAbilities {
  /** Functions the model may call. Default none. */
  readonly tools?: readonly FunctionTool[];
  /** Default `auto` where there are tools. */
  readonly toolChoice?: ToolChoice;
  /** Default none. */
  readonly builtinTools?: readonly BuiltinToolName[];
  readonly responseFormat?: ResponseFormat;
  readonly reasoning?: ReasoningOptions;
  /**
   * Keep the answer to harmony's grammar: only the channels and the tools of this request, under their own headers.
   * Default: where an option needs it (a JSON format, a tool choice, a reasoning budget or its exclusion).
   */
  readonly guided?: boolean;
}
