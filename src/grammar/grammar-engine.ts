import { EngineError } from "../errors.ts";
import type { GrammarPort, GrammarReply, GrammarRequest, TextGrammar } from "./protocol.ts";

type Mask = Uint32Array<ArrayBuffer>;

/** A text being matched against a grammar, token by token. */
export interface Constraint {
  /** The ids that may come first. */
  readonly first: Mask;
  /** The ids that may come after `token`. @throws grammar-failed */
  accept(token: number): Promise<Mask>;
}

/** Compiles grammars and matches tokens in a worker of its own, made when first needed and again after a crash. */
export interface GrammarEngine {
  /**
   * Starts a text in this grammar, which one of `stopTokens` ends. It replaces the one before.
   * @throws grammar-failed where the worker crashed or took too long
   */
  start(grammar: TextGrammar, stopTokens: readonly number[]): Promise<Constraint>;
  dispose(): void;
}

export interface GrammarEngineOptions {
  readonly openPort: () => GrammarPort;
  /** See `grammarVocabulary`; asked for once a worker. */
  readonly vocabulary: () => readonly string[];
  /** Rows of the logits. */
  readonly vocabSize: number;
  /** Time for one reply, in ms. Default 30 s for the first grammar as for any token: a hang is a crash. */
  readonly timeoutMs?: number;
}

interface Pending {
  readonly resolve: (reply: GrammarReply) => void;
  readonly reject: (error: EngineError) => void;
}

interface Line {
  ask(request: GrammarRequest): Promise<GrammarReply>;
  end(reason: string): void;
}

export function createGrammarEngine(options: GrammarEngineOptions): GrammarEngine {
  const { openPort, vocabulary, vocabSize, timeoutMs = 30_000 } = options;
  let line: Line | undefined;

  function open(): Line {
    const opened = openLine(openPort(), timeoutMs, () => {
      if (line === opened) line = undefined;
    });
    line = opened;
    const ready = opened.ask({ kind: "vocabulary", tokens: vocabulary(), vocabSize });
    ready.catch(() => {}); // what is asked next fails with it
    return opened;
  }

  async function ask(on: Line, request: GrammarRequest): Promise<Mask> {
    const { mask } = await on.ask(request);
    if (mask?.some((word) => word !== 0)) return mask;
    const problem = "the grammar allows no token any more";
    on.end(problem);
    throw failed(problem);
  }

  return {
    async start(grammar, stopTokens) {
      const current = line ?? open();
      const first = await ask(current, { kind: "start", grammar, stopTokens });
      return { first, accept: (token) => ask(current, { kind: "accept", token }) };
    },
    dispose: () => line?.end("it was disposed of"),
  };
}

/** Questions and answers over a port. The first failure ends it, and everything that waits. */
function openLine(port: GrammarPort, timeoutMs: number, onEnd: () => void): Line {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let ended: EngineError | undefined;

  function end(reason: string): void {
    if (ended !== undefined) return;
    ended = failed(reason);
    port.close();
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
    onEnd();
  }

  port.onDeath(end);
  port.onReply((reply) => {
    if (reply.error !== undefined) return end(reply.error);
    pending.get(reply.id)?.resolve(reply);
    pending.delete(reply.id);
  });

  return {
    end,
    ask(request) {
      if (ended !== undefined) return Promise.reject(ended);
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs);
        pending.set(id, {
          resolve: (reply) => {
            clearTimeout(timer);
            resolve(reply);
          },
          reject: (error) => {
            clearTimeout(timer);
            reject(error);
          },
        });
        port.post({ id, request });
      });
    },
  };
}

const failed = (reason: string) =>
  new EngineError(
    "grammar-failed",
    `The grammar worker failed (${reason}). The next request starts a new one; if this one fails again, simplify its JSON schema.`,
    { details: { reason } },
  );
