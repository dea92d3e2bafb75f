/** The checkpoint's own tokenizer, hardened: text never becomes a special token. */
export interface Tokenizer {
  /** One more than the highest id that has a token. */
  readonly vocabSize: number;
  /** Ids of special tokens by their text, e.g. `<|start|>`. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /**
   * Ids of plain text; special-token spellings inside stay plain text.
   * @throws request-invalid where millions of letters stand in a row
   */
  encode(text: string): number[];
  /** Id of a special token by name. @throws tokenizer-invalid where the tokenizer has no such token */
  special(name: string): number;
  /** The bytes a text token stands for; `undefined` for special tokens and ids without a token. */
  bytes(id: number): Uint8Array | undefined;
  /** The text of a special token; `undefined` for others. */
  specialText(id: number): string | undefined;
  /** Text of ids (special tokens spelled out). */
  decode(ids: readonly number[]): string;
}

export type Role = "system" | "developer" | "user" | "assistant" | "tool";
export type ReasoningEffort = "low" | "medium" | "high";

/** Content of a harmony system message. Unset fields leave their line out. */
export interface SystemContent {
  readonly identity?: string;
  readonly knowledgeCutoff?: string;
  /** YYYY-MM-DD */
  readonly currentDate?: string;
  readonly reasoningEffort?: ReasoningEffort;
  /** Valid channels, in order. */
  readonly channels?: readonly string[];
  /** Say that every message needs a channel. Default true. */
  readonly channelRequired?: boolean;
  /** Built-in tools (browser, python). */
  readonly tools?: readonly ToolNamespace[];
}

/** Content of a harmony developer message. */
export interface DeveloperContent {
  readonly instructions?: string;
  readonly tools?: readonly ToolNamespace[];
  /** Told to the model after the tools; it only advises, unlike sampling by grammar. */
  readonly responseFormat?: HarmonyResponseFormat;
}

/** What the final channel should hold, as the developer message says it. */
export interface HarmonyResponseFormat {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema */
  readonly schema: unknown;
}

/** Tools that share a name prefix: `functions` for the caller's own. */
export interface ToolNamespace {
  readonly name: string;
  readonly description?: string;
  readonly functions: readonly FunctionTool[];
}

/** One function the model may call. */
export interface FunctionTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments object; left out for a function without arguments. */
  readonly parameters?: unknown;
}

/** One harmony message, to be rendered or as parsed. */
export interface HarmonyMessage {
  readonly role: Role;
  /** Author name: the tool's name for role tool. */
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  readonly contentType?: string;
  /** One content or several, which follow each other without a separator. */
  readonly content: HarmonyContent | readonly HarmonyContent[];
}

/** Text, or what a system or developer message says by fields. */
export type HarmonyContent = string | SystemContent | DeveloperContent;

/** What the streaming parser reports, in order. Concatenated `text` of a message equals its content. */
export type HarmonyEvent =
  | { readonly type: "message-start"; readonly header: HarmonyHeader }
  | { readonly type: "text"; readonly text: string; readonly header: HarmonyHeader }
  | {
      readonly type: "message-end";
      readonly header: HarmonyHeader;
      readonly content: string;
      readonly end: "end" | "return" | "call" | "eof";
    }
  /** The stream was malformed and the parser went on. `text` is generated text that found no other place. */
  | { readonly type: "recovery"; readonly what: string; readonly text?: string };

export interface HarmonyHeader {
  readonly role: Role;
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  readonly contentType?: string;
}
