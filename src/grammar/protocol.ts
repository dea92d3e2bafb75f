/** What a text must match: xgrammar's EBNF, rule `root`, and the JSON schema to whose lengths strings are counted, if any. */
export interface TextGrammar {
  readonly ebnf: string;
  readonly lengths?: unknown;
}

/** What is asked of the grammar worker. Requests are answered in order. */
export type GrammarRequest =
  /** First of all: see `grammarVocabulary`. `vocabSize`: rows of the logits. */
  | { readonly kind: "vocabulary"; readonly tokens: readonly string[]; readonly vocabSize: number }
  /** Compiles a grammar and starts matching; the stop tokens are allowed where the text is complete. */
  | { readonly kind: "start"; readonly grammar: TextGrammar; readonly stopTokens: readonly number[] }
  /** Goes on after a token. */
  | { readonly kind: "accept"; readonly token: number };

export interface GrammarCall {
  readonly id: number;
  readonly request: GrammarRequest;
}

/** `mask`: the ids that may come next, none for `vocabulary`. `error`: the worker is of no more use. */
export interface GrammarReply {
  readonly id: number;
  readonly mask?: Uint32Array<ArrayBuffer>;
  readonly error?: string;
}

/** One end of a line to a grammar worker. */
export interface GrammarPort {
  post(call: GrammarCall): void;
  onReply(listener: (reply: GrammarReply) => void): void;
  /** The worker ended by itself, or could not be started. */
  onDeath(listener: (reason: string) => void): void;
  close(): void;
}
