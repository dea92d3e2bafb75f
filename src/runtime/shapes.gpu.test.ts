// Models of unusual sizes against the float64 reference, by prefill in chunks and by decode steps.
import { describe, expect, it } from "vitest";
import { expectClose } from "../testing/compare.ts";
import { seededRandom } from "../testing/data.ts";
import { denseFormats } from "../testing/dense.ts";
import { fixture } from "../testing/engine.ts";
import { logitsOf } from "../testing/model-logits.ts";
import { readCheckpoint, referenceLogits } from "../testing/reference-model.ts";
import { type TinySizes, tinyCheckpoint } from "../testing/tiny-checkpoint.ts";

const base: TinySizes = {
  numLayers: 2,
  hiddenSize: 64,
  intermediateSize: 32,
  numHeads: 4,
  numKvHeads: 2,
  headDim: 32,
  numExperts: 4,
  expertsPerToken: 2,
  slidingWindow: 8,
  vocabSize: 320,
};

const cases: { name: string; sizes: Partial<TinySizes>; contextLength: number; maxTokensPerPass: number }[] =
  [
    {
      name: "window 1, 5 experts top-4, 16 query and 8 KV heads, an odd vocabulary",
      sizes: {
        slidingWindow: 1,
        numExperts: 5,
        expertsPerToken: 4,
        numHeads: 16,
        numKvHeads: 8,
        vocabSize: 333,
      },
      contextLength: 64,
      maxTokensPerPass: 8,
    },
    {
      name: "3 experts a token, groups of 3 heads of 8 dims, hidden size 96, passes that divide nothing",
      sizes: {
        hiddenSize: 96,
        intermediateSize: 64,
        numHeads: 9,
        numKvHeads: 3,
        headDim: 8,
        numExperts: 6,
        expertsPerToken: 3,
        slidingWindow: 3,
        vocabSize: 1001,
      },
      contextLength: 27,
      maxTokensPerPass: 5,
    },
    {
      name: "one expert kept as bf16, one KV head of 128 dims, a window longer than the context",
      sizes: {
        numHeads: 5,
        numKvHeads: 1,
        headDim: 128,
        numExperts: 1,
        expertsPerToken: 1,
        slidingWindow: 500,
        vocabSize: 97,
        expertFormat: "bf16",
      },
      contextLength: 27,
      maxTokensPerPass: 512,
    },
  ];

describe("the float64 reference", () => {
  it("is what transformers computes", async () => {
    const { files, prompt } = fixture("tiny-bf16-experts", 0);
    const { config, bytes } = await readCheckpoint(files);
    const logits = referenceLogits(config, bytes, prompt.tokens);
    expectClose(logits, prompt.logits, { absolute: 1e-4 }, "reference logits");
  });
});

describe.each(cases)("$name", ({ sizes, contextLength, maxTokensPerPass }) => {
  it.each(denseFormats)("gives the reference's logits by prefill and by decode (%s)", async (dense) => {
    const { config, files, bytes } = tinyCheckpoint({ ...base, ...sizes });
    const random = seededRandom(1);
    const tokens = Array.from({ length: 27 }, () => Math.floor(random() * config.vocabSize));
    tokens[0] = config.vocabSize - 1;
    const expected = referenceLogits(config, bytes, tokens, { dense });
    const deviation = Math.sqrt(expected.reduce((sum, logit) => sum + logit ** 2, 0) / expected.length);
    expect(deviation).toBeGreaterThan(1);
    expect(deviation).toBeLessThan(4);
    const options = { dense, contextLength, maxTokensPerPass };
    const logits = await logitsOf(files, tokens, ["prefill", "decode"], options);
    expectClose(logits.prefill, expected, { absolute: 1e-3 }, "prefill logits");
    expectClose(logits.decode, expected, { absolute: 1e-3 }, "decode logits");
  });
});
