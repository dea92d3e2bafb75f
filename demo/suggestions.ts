import type { ReasoningEffort } from "../src/index.ts";

/** A question that the embedded model is known to answer, with the effort it was tried at. */
export interface Suggestion {
  readonly question: string;
  readonly effort: ReasoningEffort;
}

/** From the model's samples.md, word for word. */
export const suggestions: readonly Suggestion[] = [
  { question: "What can you do?", effort: "medium" },
  { question: "What is 468 + 257?", effort: "high" },
  { question: "What is the capital of Japan?", effort: "low" },
  { question: "What day of the week is it?", effort: "medium" },
  { question: "How many r's are in strawberry?", effort: "high" },
  { question: "Give me a table of the planets.", effort: "low" },
  { question: "What is MXFP4?", effort: "medium" },
];
