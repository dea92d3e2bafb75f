import type { GrammarEngine } from "../grammar/grammar-engine.ts";
import type { TokenMask } from "../runtime/guide.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { nano } from "../text/nano.fixture.ts";
import { fakeInfo } from "./fake-engine.ts";

/** The tokens that end an answer. */
export const stops = ["<|return|>", "<|call|>"].map((name) => nano.special(name));

/** Who writes one answer. */
export interface Writer {
  /** One of the mask's tokens. */
  pick(mask: TokenMask): number;
  /** Told of each token that comes, forced ones too. */
  wrote?(token: number, isForced: boolean): void;
}

/** A model without GPU, with the embedded model's tokenizer, whose answers obey their guide. */
export function guidedModel(
  grammar: GrammarEngine | undefined,
  contextLength: number,
  write: (seed: number) => Writer,
): LoadedModel {
  const model: Partial<LoadedModel> = {
    tokenizer: nano,
    grammar,
    stopTokens: stops,
    config: { vocabSize: nano.vocabSize } as LoadedModel["config"],
    info: { ...fakeInfo, contextLength },
    scheduler: {
      idle: async () => {},
      async *run({ guide, maxNewTokens, seed, stopTokens }) {
        const writer = write(seed);
        let direction = guide.begin();
        for (let count = 0; count < maxNewTokens; ) {
          const isForced = direction.kind === "forced";
          const tokens = direction.kind === "forced" ? direction.tokens : [writer.pick(await direction.mask)];
          for (const token of tokens) {
            count += 1;
            writer.wrote?.(token, isForced);
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

/** The ids of a mask. */
export const isAllowed = (mask: TokenMask, id: number): boolean =>
  (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
