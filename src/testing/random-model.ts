import { openLocalGrammar } from "../desktop/grammar-local.ts";
import { createGrammarEngine, type GrammarEngine } from "../grammar/grammar-engine.ts";
import { grammarVocabulary } from "../grammar/vocabulary.ts";
import type { TokenMask } from "../runtime/guide.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { nano } from "../text/nano.fixture.ts";
import { seededRandom } from "./data.ts";
import { fakeInfo } from "./fake-engine.ts";

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
const stops = ["<|return|>", "<|call|>"].map((name) => nano.special(name));

/** A model without GPU that samples anything it is allowed to, with the embedded model's tokenizer. */
export function randomModel(grammar: GrammarEngine | undefined, contextLength = 4096): LoadedModel {
  const model: Partial<LoadedModel> = {
    tokenizer: nano,
    grammar,
    stopTokens: stops,
    config: { vocabSize: nano.vocabSize } as LoadedModel["config"],
    info: { ...fakeInfo, contextLength },
    scheduler: {
      idle: async () => {},
      async *run({ guide, maxNewTokens, seed, stopTokens }) {
        const random = seededRandom(seed);
        let direction = guide.begin();
        for (let count = 0; count < maxNewTokens; ) {
          const isForced = direction.kind === "forced";
          const tokens =
            direction.kind === "forced" ? direction.tokens : [draw(await direction.mask, random)];
          for (const token of tokens) {
            count += 1;
            if (!isForced && stopTokens.includes(token)) {
              yield token;
              return "stop";
            }
            direction = guide.next(token);
            yield token;
            if (count === maxNewTokens) return "length";
          }
        }
        return "length";
      },
    },
  };
  return model as LoadedModel;
}

/** An id of the mask; a fifth of the time one that brings a text to its end. */
function draw(mask: TokenMask, random: () => number): number {
  const has = (id: number) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
  const ends = closing.filter(has);
  if (ends.length > 0 && random() < 0.2) return ends[Math.floor(random() * ends.length)] ?? 0;
  const ids = Array.from({ length: nano.vocabSize }, (_, id) => id).filter(has);
  return ids[Math.floor(random() * ids.length)] ?? 0;
}
