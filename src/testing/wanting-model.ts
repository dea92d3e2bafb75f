import type { TokenMask } from "../runtime/guide.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { harmonyIds, nano } from "../text/nano.fixture.ts";
import { guidedModel, isAllowed, stops } from "./guided-model.ts";

/** What it writes where nothing of its text is allowed: the way to an end. */
const closing = [...stops, nano.special("<|end|>"), ...nano.encode("final")];

/**
 * A model without GPU that wants to write these texts, one an answer, in harmony's spelling. It obeys its guide: a token
 * that is not allowed is left out, and what is forced is written.
 */
export function wantingModel(texts: readonly string[], contextLength = 4096): LoadedModel {
  let numAnswers = 0;
  return guidedModel(undefined, contextLength, () => {
    let wanted: readonly number[] = harmonyIds(texts[numAnswers++] ?? "");
    return {
      pick: (mask) => pick(mask, wanted),
      wrote(token, isForced) {
        if (!isForced || wanted[0] === token) wanted = wanted.slice(wanted.indexOf(token) + 1);
      },
    };
  });
}

function pick(mask: TokenMask, wanted: readonly number[]): number {
  const all = Array.from({ length: nano.vocabSize }, (_, id) => id);
  const token = [...wanted, ...closing, ...all].find((id) => isAllowed(mask, id));
  if (token === undefined) throw new Error("the guide allows nothing");
  return token;
}
