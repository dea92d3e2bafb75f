// Guided decoding on a model with a window of 8 keys: whatever a guide forces, masks or lets run, every token is the best
// of those allowed after exactly the tokens before it, so no trace of a dropped step is left.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Gpu } from "../gpu/gpu.ts";
import { seededRandom } from "../testing/data.ts";
import { fixture } from "../testing/engine.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { type Direction, freeGuide, type Guide, type TokenMask } from "./guide.ts";
import { type LoadedModel, loadModel } from "./loaded-model.ts";
import { decodeLogits } from "./logits.ts";

const { files, prompt } = fixture("tiny-mxfp4", 0);
const vocabSize = 320;
const contextLength = 128;
const start = [...prompt.tokens, ...prompt.greedy].slice(0, 20);
const words = vocabSize / 32;
const everything: TokenMask = new Uint32Array(words).fill(0xffffffff);
const has = (mask: TokenMask, id: number) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;

let gpu: Gpu;
beforeAll(async () => {
  gpu = await testGpu();
});

interface Scripted extends Guide {
  /** What each token of the answer had to keep to: the mask it was sampled within, or the id that was forced. */
  readonly terms: (TokenMask | number)[];
}

/** Directions drawn by chance: runs of free tokens, masks for one token, some late, and forced tokens. */
function randomGuide(seed: number): Scripted {
  const random = seededRandom(seed);
  const terms: (TokenMask | number)[] = [];
  const masks = [everything, ...[2, 3, 50].map((share) => randomMask(random, 1 / share))];
  const forcedTokens = () =>
    Array.from({ length: 1 + Math.floor(random() * 5) }, () => Math.floor(random() * vocabSize));
  let free = everything;
  let forcedLeft = 0;
  const draw = (): Direction => {
    const kind = random();
    const mask = masks[Math.floor(random() * masks.length)] ?? everything;
    if (kind >= 0.85) return { kind: "forced", tokens: forcedTokens() };
    if (kind < 0.6) {
      if (kind > 0.5) free = mask;
      terms.push(free);
      return { kind: "free", mask: free };
    }
    terms.push(mask);
    const late = new Promise<TokenMask>((resolve) => setTimeout(() => resolve(mask), random() * 3));
    return { kind: "next", mask: random() < 0.5 ? mask : late };
  };
  const decide = (): Direction => {
    if (forcedLeft > 0) forcedLeft -= 1;
    if (forcedLeft > 0) return { kind: "free", mask: everything }; // does not count before the last forced token
    const direction = draw();
    if (direction.kind === "forced") {
      terms.push(...direction.tokens);
      forcedLeft = direction.tokens.length;
    }
    return direction;
  };
  return { begin: decide, next: decide, terms };
}

function randomMask(random: () => number, share: number): TokenMask {
  const mask: TokenMask = new Uint32Array(words);
  for (let id = 0; id < vocabSize; id++) {
    if (random() < share) mask[id >>> 5] = (mask[id >>> 5] ?? 0) | (1 << (id & 31));
  }
  return mask;
}

async function answer(model: LoadedModel, guide: Guide, options: { temperature?: number; count?: number }) {
  const tokens: number[] = [];
  const run = model.scheduler.run({
    prompt: start,
    maxNewTokens: options.count ?? 40,
    temperature: options.temperature ?? 0,
    seed: 5,
    stopTokens: [],
    guide,
    signal: undefined,
  });
  for (;;) {
    const next = await run.next();
    if (next.done) return { tokens, finishReason: next.value };
    tokens.push(next.value);
  }
}

// With one token a pass the rings of keys are as small as they get.
describe.each([1, 512])("passes of at most %i tokens", (maxTokensPerPass) => {
  let model: LoadedModel;
  beforeAll(async () => {
    model = await loadModel(gpu, files, { contextLength, maxTokensPerPass });
  });
  afterAll(async () => {
    await model.scheduler.idle();
    model.destroy();
  });

  it.each([1])("keeps to a guide drawn from seed %i", async (seed) => {
    const guide = randomGuide(seed);
    const { tokens, finishReason } = await answer(model, guide, {});
    expect([finishReason, tokens.length]).toEqual(["length", 40]);
    const all = [...start, ...tokens];
    const logits = await decodeLogits(gpu, model.plan, vocabSize, all);
    for (const [i, token] of tokens.entries()) {
      const term = guide.terms[i];
      if (term === undefined || typeof term === "number") {
        expect(token).toBe(term);
        continue;
      }
      const at = start.length - 1 + i;
      const row = logits.subarray(at * vocabSize, (at + 1) * vocabSize);
      const best = Math.max(...Array.from(row, (logit, id) => (has(term, id) ? logit : -Infinity)));
      expect(has(term, token)).toBe(true);
      expect(row[token]).toBeGreaterThan(best - 1e-3); // two kernels may part on a tie
    }
    const kinds = guide.terms.map((term) => (typeof term === "number" ? "forced" : "sampled"));
    expect(new Set(kinds).size).toBe(2);
  });

  it("samples the same within a mask, whether steps run ahead or each waits for its mask", async () => {
    const mask = randomMask(seededRandom(9), 0.3);
    const stepwise: Guide = {
      begin: () => ({ kind: "next", mask }),
      next: () => ({ kind: "next", mask: Promise.resolve(mask) }),
    };
    const free = await answer(model, freeGuide(mask), { temperature: 1 });
    expect(await answer(model, stepwise, { temperature: 1 })).toEqual(free);
    expect(new Set(free.tokens).size).toBeGreaterThan(12);
  });

  it("ends within forced tokens where the answer is as long as it may be", async () => {
    const guide: Guide = {
      begin: () => ({ kind: "forced", tokens: [1, 2, 3, 4, 5] }),
      next: () => ({ kind: "free", mask: everything }),
    };
    expect(await answer(model, guide, { count: 3 })).toEqual({ tokens: [1, 2, 3], finishReason: "length" });
  });
});
