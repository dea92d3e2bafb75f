import type { TokenMask } from "../runtime/guide.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { harmonyIds, nano } from "../text/nano.fixture.ts";
import { fakeInfo } from "./fake-engine.ts";

const stops = ["<|return|>", "<|call|>"].map((name) => nano.special(name));
/** What it writes where nothing of its text is allowed: the way to an end. */
const closing = [...stops, nano.special("<|end|>"), ...nano.encode("final")];

/**
 * A model without GPU that wants to write these texts, one an answer, in harmony's spelling. It obeys its guide: a token
 * that is not allowed is left out, and what is forced is written.
 */
export function wantingModel(texts: readonly string[], contextLength = 4096): LoadedModel {
  let numAnswers = 0;
  const model: Partial<LoadedModel> = {
    tokenizer: nano,
    grammar: undefined,
    stopTokens: stops,
    config: { vocabSize: nano.vocabSize } as LoadedModel["config"],
    info: { ...fakeInfo, contextLength },
    scheduler: {
      idle: async () => {},
      async *run({ guide, maxNewTokens, stopTokens }) {
        let wanted: readonly number[] = harmonyIds(texts[numAnswers++] ?? "");
        let direction = guide.begin();
        for (let count = 0; count < maxNewTokens; ) {
          const isForced = direction.kind === "forced";
          const tokens =
            direction.kind === "forced" ? direction.tokens : [pick(await direction.mask, wanted)];
          for (const token of tokens) {
            count += 1;
            wanted = isForced && wanted[0] !== token ? wanted : wanted.slice(wanted.indexOf(token) + 1);
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

function pick(mask: TokenMask, wanted: readonly number[]): number {
  const isAllowed = (id: number) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
  const all = Array.from({ length: nano.vocabSize }, (_, id) => id);
  const token = [...wanted, ...closing, ...all].find(isAllowed);
  if (token === undefined) throw new Error("the guide allows nothing");
  return token;
}
