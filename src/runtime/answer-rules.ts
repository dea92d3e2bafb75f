import { EngineError, isEngineError } from "../errors.ts";
import type { Constraint, GrammarEngine } from "../grammar/grammar-engine.ts";
import { jsonObjectGrammar } from "../grammar/json-grammar.ts";
import { jsonSchemaGrammar } from "../grammar/json-schema-grammar.ts";
import type { TextGrammar } from "../grammar/protocol.ts";
import {
  type AnswerBody,
  type AnswerHeader,
  builtinHeaders,
  functionHeader,
  plainHeader,
} from "../text/answer-headers.ts";
import type { ChatAbilities, ResponseFormat } from "../text/chat-types.ts";
import { harmonyTokens } from "../text/harmony-tokens.ts";
import type { FunctionTool, Tokenizer } from "../text/types.ts";
import type { AnswerRules } from "./answer-guide.ts";

/** True where a request asks for more than the prompt can: then its answer is kept to rules. */
export function needsRules({ guided, toolChoice, responseFormat, reasoning }: ChatAbilities): boolean {
  return (
    guided === true ||
    isJson(responseFormat) ||
    // Also without tools: a model that sees calls in its history makes more of them.
    (toolChoice !== undefined && toolChoice !== "auto") ||
    reasoning?.exclude === true ||
    reasoning?.maxTokens !== undefined
  );
}

/**
 * The rules of an answer: which messages it may hold, how long it may reason, and what the final and the arguments of a
 * call that must be made have to match.
 * @throws request-invalid for a schema that cannot be enforced, grammar-failed
 */
export async function answerRules(
  tokenizer: Tokenizer,
  grammar: GrammarEngine | undefined,
  abilities: ChatAbilities,
): Promise<AnswerRules> {
  const grammars = answerGrammars(abilities);
  const stops: Partial<Record<AnswerBody["kind"], number>> = {
    final: tokenizer.special(harmonyTokens.return),
    "function-call": tokenizer.special(harmonyTokens.call),
  };
  function start(text: TextGrammar, kind: AnswerBody["kind"]): Promise<Constraint> {
    if (grammar === undefined) throw noGrammar();
    return grammar.start(text, [stops[kind] ?? 0]);
  }
  // Compiled now, so that what fails does so before anything is generated; the worker keeps what it compiled.
  if (grammars.final !== undefined) await start(grammars.final, "final");
  return {
    headers: answerHeaders(tokenizer, abilities),
    maxReasoningTokens: maxReasoningTokens(abilities),
    reasonsOnce: mustCallOf(abilities) !== undefined || mustAnswer(abilities),
    constrain(body) {
      if (body.kind === "final" && grammars.final !== undefined) return start(grammars.final, "final");
      const call = body.kind === "function-call" ? grammars.calls.get(body.name) : undefined;
      return call === undefined ? undefined : start(call, "function-call");
    },
  };
}

function maxReasoningTokens({ reasoning }: ChatAbilities): number {
  const { maxTokens = Number.POSITIVE_INFINITY } = reasoning ?? {};
  if (maxTokens === Number.POSITIVE_INFINITY || (Number.isInteger(maxTokens) && maxTokens >= 0))
    return maxTokens;
  throw new EngineError(
    "request-invalid",
    `reasoning.maxTokens must be a whole number from 0, got ${maxTokens}.`,
  );
}

function answerHeaders(tokenizer: Tokenizer, abilities: ChatAbilities): AnswerHeader[] {
  const { tools = [], toolChoice = "auto", builtinTools = [], responseFormat } = abilities;
  const mustCall = mustCallOf(abilities);
  const callable = mustCall ?? (toolChoice === "none" ? [] : tools);
  const analysis = plainHeader(tokenizer, "analysis");
  const calls = callable.map(({ name }) => functionHeader(tokenizer, name));
  if (mustCall !== undefined) return [analysis, ...calls];
  const builtins = [...new Set(builtinTools)].flatMap((tool) => builtinHeaders(tokenizer, tool));
  // What else than JSON would reach the user as content has no place in an answer that must be JSON.
  const hasPreamble = !isJson(responseFormat) && calls.length + builtins.length > 0;
  return [
    analysis,
    plainHeader(tokenizer, "final"),
    ...(hasPreamble ? [plainHeader(tokenizer, "preamble")] : []),
    ...calls,
    ...builtins,
  ];
}

/** The functions of which one must be called; undefined where none must. */
function mustCallOf({ tools = [], toolChoice }: ChatAbilities): readonly FunctionTool[] | undefined {
  if (toolChoice === "required") return tools;
  return typeof toolChoice === "object" ? tools.filter(({ name }) => name === toolChoice.name) : undefined;
}

/** Nothing can be called: a model that wants to would go on reasoning instead. */
const mustAnswer = ({ toolChoice, builtinTools = [] }: ChatAbilities): boolean =>
  toolChoice === "none" && builtinTools.length === 0;

interface AnswerGrammars {
  readonly final: TextGrammar | undefined;
  readonly calls: ReadonlyMap<string, TextGrammar>;
}

function answerGrammars(abilities: ChatAbilities): AnswerGrammars {
  const { responseFormat } = abilities;
  const calls = (mustCallOf(abilities) ?? []).map((tool) => [tool.name, argumentsGrammar(tool)] as const);
  return { final: finalGrammar(responseFormat), calls: new Map(calls) };
}

function finalGrammar(format: ResponseFormat | undefined): TextGrammar | undefined {
  if (format?.type === "json_object") return jsonObjectGrammar;
  return format?.type === "json_schema" ? jsonSchemaGrammar(format.schema) : undefined;
}

/** The grammar of a function's arguments: its schema's, or any object where that cannot be enforced. */
function argumentsGrammar({ parameters }: FunctionTool): TextGrammar {
  if (parameters === undefined || parameters === null)
    return jsonSchemaGrammar({ type: "object", additionalProperties: false });
  try {
    return jsonSchemaGrammar(parameters);
  } catch (error) {
    if (isEngineError(error, "request-invalid")) return jsonObjectGrammar;
    throw error;
  }
}

const isJson = (format: ResponseFormat | undefined): boolean =>
  format?.type === "json_object" || format?.type === "json_schema";

const noGrammar = () =>
  new EngineError(
    "request-invalid",
    "This engine was made without a grammar worker, so it cannot keep answers to a JSON schema. Pass openGrammar to createEngine.",
  );
