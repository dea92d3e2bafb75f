import { openLocalGrammar } from "../desktop/grammar-local.ts";
import { createGrammarEngine, type GrammarEngine } from "../grammar/grammar-engine.ts";
import { grammarVocabulary } from "../grammar/vocabulary.ts";
import type { TokenMask } from "../runtime/guide.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { nano } from "../text/nano.fixture.ts";
import { seededRandom } from "./data.ts";
import { guidedModel, isAllowed } from "./guided-model.ts";

/** A grammar engine with the embedded model's tokenizer, in this thread. */
export const nanoGrammar = (): GrammarEngine =>
  createGrammarEngine({
    openPort: openLocalGrammar,
    vocabulary: () => grammarVocabulary(nano),
    vocabSize: nano.vocabSize,
  });

const closing = ['"', "}", "]", '"}', "<|end|>", "<|return|>", "<|call|>"].flatMap(
  (text) => nano.specialTokens.get(text) ?? nano.encode(text),
);

/** A model without GPU that samples anything it is allowed to, with the embedded model's tokenizer. */
export const randomModel = (grammar: GrammarEngine | undefined, contextLength = 4096): LoadedModel =>
  guidedModel(grammar, contextLength, (seed) => {
    const random = seededRandom(seed);
    return { pick: (mask) => draw(mask, random) };
  });

/** An id of the mask; a fifth of the time one that brings a text to its end. */
function draw(mask: TokenMask, random: () => number): number {
  const has = (id: number) => isAllowed(mask, id);
  const ends = closing.filter(has);
  if (ends.length > 0 && random() < 0.2) return ends[Math.floor(random() * ends.length)] ?? 0;
  const ids = Array.from({ length: nano.vocabSize }, (_, id) => id).filter(has);
  return ids[Math.floor(random() * ids.length)] ?? 0;
}
