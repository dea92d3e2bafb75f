import { EngineError } from "../errors.ts";
import type { Constraint } from "../grammar/grammar-engine.ts";
import { type AnswerBody, type AnswerHeader, assistantStart } from "../text/answer-headers.ts";
import { harmonyTokens } from "../text/harmony-tokens.ts";
import { textMask } from "../text/stop-tokens.ts";
import type { Tokenizer } from "../text/types.ts";
import { createUtf8Stream } from "../text/utf8-stream.ts";
import type { Direction, Guide, TokenMask } from "./guide.ts";
import { createTokenChoice, type TokenChoice } from "./token-choice.ts";

/** What an answer may be made of. */
export interface AnswerRules {
  /** The messages that may come; the last one is a final or a call, which ends the answer. */
  readonly headers: readonly AnswerHeader[];
  /** Tokens of analysis, over all its messages, after which it is closed. */
  readonly maxReasoningTokens: number;
  /** Whether analysis may come once only: a model kept from the call it wants, or to one it does not want, goes on reasoning. */
  readonly reasonsOnce: boolean;
  /** Starts what a body must match; undefined where it is any text. */
  readonly constrain: (body: AnswerBody) => Promise<Constraint> | undefined;
}

/** Most tokens that analysis goes on for after its budget, to complete a character. */
const mostOverrun = 3;

/**
 * Keeps an answer to harmony's grammar: headers are picked from a list, bodies hold text and end in the token that
 * belongs to them. Analysis is closed when its budget is used up; bodies with a constraint match it.
 */
export function createAnswerGuide(tokenizer: Tokenizer, vocabSize: number, rules: AnswerRules): Guide {
  const end = tokenizer.special(harmonyTokens.end);
  const endNames = { final: harmonyTokens.return, call: harmonyTokens.call, other: harmonyTokens.end };
  const within = (name: string): Direction => ({
    kind: "free",
    mask: textMask(tokenizer, vocabSize, [tokenizer.special(name)]),
  });
  const directions = new Map<string, Direction>();
  let choice: TokenChoice<AnswerBody> | undefined;
  let body: AnswerBody | undefined;
  let constraint: Promise<Constraint> | undefined;
  let numReasoning = 0;
  let hasReasoned = false;
  let characters = createUtf8Stream();

  /** The model picks a header, after tokens that lead to it. */
  function pickHeader(lead: readonly number[]): Direction {
    const spent = numReasoning >= rules.maxReasoningTokens || (hasReasoned && rules.reasonsOnce);
    const open = rules.headers.filter(({ body: { kind } }) => !(spent && kind === "analysis"));
    const options = open.map(({ tokens, body: value }) => ({ tokens: [...lead, ...tokens], value }));
    choice = createTokenChoice(options, vocabSize);
    body = undefined;
    return choice.direction();
  }

  /** Text of any kind and its end; the mask is one object a kind, so that steps run ahead. */
  function anyText(kind: keyof typeof endNames): Direction {
    const known = directions.get(kind) ?? within(endNames[kind]);
    directions.set(kind, known);
    return known;
  }

  function enter(entered: AnswerBody): Direction {
    choice = undefined;
    body = entered;
    hasReasoned ||= entered.kind === "analysis";
    characters = createUtf8Stream();
    constraint = rules.constrain(entered);
    return constraint === undefined ? anyText(endOf(entered)) : masked(constraint.then(({ first }) => first));
  }

  function goOn(token: number, of: AnswerBody): Direction {
    if (constraint !== undefined) return masked(constraint.then((started) => started.accept(token)));
    if (token === end) return pickHeader(assistantStart(tokenizer));
    if (of.kind === "analysis") {
      numReasoning += 1;
      characters.push(tokenizer.bytes(token) ?? new Uint8Array());
      const overrun = numReasoning - rules.maxReasoningTokens;
      if (overrun >= 0 && (characters.isWhole || overrun >= mostOverrun))
        return pickHeader([end, ...assistantStart(tokenizer)]);
    }
    return anyText(endOf(of));
  }

  return {
    begin: () => pickHeader([]),
    next(token) {
      if (choice !== undefined) {
        const picked = choice.accept(token);
        return picked === undefined ? choice.direction() : enter(picked);
      }
      if (body === undefined) throw new EngineError("internal", "An answer has neither header nor body.");
      return goOn(token, body);
    },
  };
}

function masked(mask: Promise<TokenMask>): Direction {
  mask.catch(() => {}); // whoever waits for it sees the failure; after an abort nobody does
  return { kind: "next", mask };
}

function endOf({ kind }: AnswerBody): "final" | "call" | "other" {
  if (kind === "final") return "final";
  return kind === "function-call" || kind === "builtin-call" ? "call" : "other";
}
