import { EngineError } from "../errors.ts";
import type { BenchOptions } from "./report.ts";

/** Most tokens timed at depth. */
const depthTokens = 64;
/** Tokens of the prompt whose first answer token is timed. */
export const firstTokenPrompt = 32;

/** Tokens decoded after a prompt of `depth`. */
export const tokensAtDepth = ({ decodeTokens }: Pick<BenchOptions, "decodeTokens">): number =>
  Math.min(depthTokens, decodeTokens);

type Lengths = Pick<BenchOptions, "promptTokens" | "decodeTokens" | "depth">;

/** What is timed, by the prompt and the answer that the context has to hold. */
function timedLengths({ promptTokens, decodeTokens, depth }: Lengths) {
  return [
    { option: "--tokens", prompt: 1, answer: decodeTokens },
    ...promptTokens.map((prompt) => ({ option: "--prompt", prompt, answer: 1 })),
    ...(depth === undefined
      ? []
      : [{ option: "--depth", prompt: depth, answer: tokensAtDepth({ decodeTokens }) }]),
    { option: "first token", prompt: firstTokenPrompt, answer: 1 },
  ];
}

/** The shortest context in which all of a benchmark runs. */
export const neededContext = (lengths: Lengths): number =>
  Math.max(...timedLengths(lengths).map(({ prompt, answer }) => prompt + answer));

/** @throws request-invalid where a benchmark does not fit the context that its model is to be loaded with */
export function checkContext(contextLength: number, lengths: Lengths): void {
  const needed = neededContext(lengths);
  if (needed <= contextLength) return;
  const [most] = timedLengths(lengths).filter(({ prompt, answer }) => prompt + answer === needed);
  throw new EngineError(
    "request-invalid",
    `A context of ${contextLength} tokens is too short for this benchmark: it times ${most?.answer} after a prompt of ${most?.prompt} (${most?.option}), which needs ${needed}. Give a context of ${needed} tokens (--context) or ask for less.`,
  );
}
