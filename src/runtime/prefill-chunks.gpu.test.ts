// A long prompt in chunks: whatever the chunks, the KV rings wrap and the logits are those of decoding token by token.
import { beforeAll, describe, expect, it } from "vitest";
import { expectClose } from "../testing/compare.ts";
import { seededRandom } from "../testing/data.ts";
import { fixture } from "../testing/engine.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { logitsOf } from "../testing/model-logits.ts";
import { freeGuide } from "./guide.ts";
import { loadModel } from "./loaded-model.ts";

const { files } = fixture("tiny-mxfp4", 0);
const vocabSize = 320;
const random = seededRandom(7);
const tokens = Array.from({ length: 400 }, () => Math.floor(random() * vocabSize));

let expected: Float32Array;
beforeAll(async () => {
  // The window is 8, so a ring for one token a pass wraps every 10 positions.
  const { decode } = await logitsOf(files, tokens, ["decode"], { contextLength: 400, maxTokensPerPass: 1 });
  expected = decode;
});

describe("a prompt of 400 tokens", () => {
  it.each([
    [24, 512],
    [512, 400],
  ])("in passes of %i tokens, context %i", async (maxTokensPerPass, contextLength) => {
    const { prefill } = await logitsOf(files, tokens, ["prefill"], { contextLength, maxTokensPerPass });
    expectClose(prefill, expected, { absolute: 1e-3 }, "logits");
  });

  it("goes on with the token of the best logit, whatever chunks the scheduler cuts", async () => {
    const last = expected.subarray(399 * vocabSize);
    const best = last.indexOf(Math.max(...last));
    for (const maxTokensPerPass of [24, 512]) {
      const model = await loadModel(await testGpu(), files, { contextLength: 402, maxTokensPerPass });
      const first = await model.scheduler
        .run({
          prompt: tokens,
          maxNewTokens: 1,
          temperature: 0,
          seed: 0,
          stopTokens: [],
          guide: freeGuide(new Uint32Array(vocabSize / 32).fill(0xffffffff)),
          signal: undefined,
        })
        .next();
      expect(first).toEqual({ done: false, value: best });
      await model.scheduler.idle();
      model.destroy();
    }
  });
});
