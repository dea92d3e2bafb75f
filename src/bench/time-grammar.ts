import { EngineError } from "../errors.ts";
import { median } from "../gpu/time-steps.ts";
import type { Constraint, GrammarEngine } from "../grammar/grammar-engine.ts";
import { jsonSchemaGrammar } from "../grammar/json-schema-grammar.ts";
import type { Direction, Guide, TokenMask } from "../runtime/guide.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { harmonyTokens } from "../text/harmony-tokens.ts";
import type { BenchOptions, GrammarRate, Rate } from "./report.ts";
import { timeGenerations } from "./time-generations.ts";

/** What answers are kept to: strings, numbers, words and lists, all bounded, so that random weights get through it too. */
const schema = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 24 },
    age: { type: "integer", minimum: 0, maximum: 130 },
    role: { enum: ["admin", "editor", "viewer"] },
    active: { type: "boolean" },
    tags: { type: "array", items: { type: "string", maxLength: 12 }, maxItems: 4 },
    address: {
      type: "object",
      properties: {
        city: { type: "string", maxLength: 20 },
        floor: { type: ["integer", "null"], minimum: -5, maximum: 200 },
      },
      required: ["city", "floor"],
      additionalProperties: false,
    },
  },
  required: ["name", "age", "role", "active", "tags", "address"],
  additionalProperties: false,
};

/**
 * Times decoding kept to a JSON schema as an answer of chat is, next to `free`, the rate of as many tokens without it.
 * Answers follow each other until the tokens are used up.
 * @throws request-invalid where the model has no tokenizer that fits or there is no grammar worker
 */
export async function timeByGrammar(
  model: LoadedModel,
  free: Rate,
  options: BenchOptions,
): Promise<GrammarRate> {
  const { grammar, tokenizer } = model;
  if (grammar === undefined || tokenizer === undefined)
    throw new EngineError(
      "request-invalid",
      "Decoding by a grammar cannot be timed without a tokenizer and a grammar worker: the grammar matches the tokens' text.",
    );
  if (tokenizer.vocabSize > model.config.vocabSize)
    throw new EngineError(
      "request-invalid",
      `Decoding by a grammar cannot be timed: the tokenizer has ${tokenizer.vocabSize} tokens, the model ${model.config.vocabSize}. Give the model's own tokenizer, or a shape of its size.`,
    );
  const stop = tokenizer.special(harmonyTokens.return);
  const maskMs: number[] = [];
  const { tokens } = free;
  const what = `decode ${tokens} by a grammar`;
  const guide = () => createSchemaGuide(grammar, stop, (ms) => maskMs.push(ms));
  const stats = await timeGenerations(model, { what, promptTokens: 1, newTokens: tokens, guide }, options);
  const all = stats.map((each) => each.decodeTokensPerSecond);
  const tokensPerSecond = median(all);
  return {
    ...{ tokens, tokensPerSecond, all },
    shareOfFree: tokensPerSecond / free.tokensPerSecond,
    maskMs: median(maskMs),
  };
}

/** One answer to the schema after another; `onMask` is told how long each mask took to come. */
export function createSchemaGuide(grammar: GrammarEngine, stop: number, onMask: (ms: number) => void): Guide {
  const text = jsonSchemaGrammar(schema);
  let constraint: Promise<Constraint>;

  function timed(mask: Promise<TokenMask>): Direction {
    const asked = performance.now();
    const told = mask.then((value) => {
      onMask(performance.now() - asked);
      return value;
    });
    told.catch(() => {}); // whoever waits for it sees the failure
    return { kind: "next", mask: told };
  }

  function begin(): Direction {
    constraint = grammar.start(text, [stop]);
    return timed(constraint.then(({ first }) => first));
  }

  return {
    begin,
    next: (token) => (token === stop ? begin() : timed(constraint.then((started) => started.accept(token)))),
  };
}
