import type { BuiltinToolName } from "./chat-types.ts";
import { harmonyTokens } from "./harmony-tokens.ts";
import type { Tokenizer } from "./types.ts";

/** What a message of the assistant holds, by its header. */
export type AnswerBody =
  | { readonly kind: "analysis" }
  /** Commentary for the user, before a call. */
  | { readonly kind: "preamble" }
  | { readonly kind: "final" }
  /** A call of one of the caller's functions, by its name. */
  | { readonly kind: "function-call"; readonly name: string }
  /** A call of a built-in tool; its body is not JSON for all of them. */
  | { readonly kind: "builtin-call" };

/** A header in the form that models write, after `<|start|>assistant` and up to `<|message|>`. */
export interface AnswerHeader {
  readonly body: AnswerBody;
  readonly tokens: readonly number[];
}

const builtinRecipients: Readonly<Record<BuiltinToolName, readonly string[]>> = {
  browser: ["browser.search", "browser.open", "browser.find"],
  python: ["python"],
};

/** The token ids of a message's start, before any header: `<|start|>assistant`. */
export const assistantStart = (tokenizer: Tokenizer): number[] => [
  tokenizer.special(harmonyTokens.start),
  ...tokenizer.encode("assistant"),
];

/** Headers of messages without recipient. */
export function plainHeader(
  tokenizer: Tokenizer,
  kind: Exclude<AnswerBody["kind"], "function-call" | "builtin-call">,
): AnswerHeader {
  return {
    body: { kind },
    tokens: header(tokenizer, kind === "preamble" ? "commentary" : kind, []),
  };
}

/** ` to=functions.NAME <|constrain|>json` on the commentary channel. */
export function functionHeader(tokenizer: Tokenizer, name: string): AnswerHeader {
  const rest = [
    ...tokenizer.encode(` to=functions.${name}`),
    ...tokenizer.encode(" "),
    tokenizer.special(harmonyTokens.constrain),
    ...tokenizer.encode("json"),
  ];
  return { body: { kind: "function-call", name }, tokens: header(tokenizer, "commentary", rest) };
}

/** Calls of a built-in tool, on the analysis channel. */
export function builtinHeaders(tokenizer: Tokenizer, tool: BuiltinToolName): AnswerHeader[] {
  return builtinRecipients[tool].map((recipient) => ({
    body: { kind: "builtin-call" },
    tokens: header(tokenizer, "analysis", [
      ...tokenizer.encode(` to=${recipient}`),
      ...tokenizer.encode(" code"),
    ]),
  }));
}

const header = (tokenizer: Tokenizer, channel: string, rest: readonly number[]): number[] => [
  tokenizer.special(harmonyTokens.channel),
  ...tokenizer.encode(channel),
  ...rest,
  tokenizer.special(harmonyTokens.message),
];
