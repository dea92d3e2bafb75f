import { expectClose } from "../../testing/compare.ts";
import { randomBf16 } from "../../testing/data.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import type { SelfTest } from "../self-test.ts";
import { embedReference } from "./embed.reference.ts";
import { embed, embedGrid } from "./embed.ts";

export const embedSelfTests: readonly SelfTest[] = [
  {
    kernel: embed.id,
    async run(gpu, { variant, isSoftware }) {
      const shape = { vocabSize: 11, hiddenSize: 2880 };
      const tokens = [10, 2, 2];
      const table = randomBf16(shape.vocabSize * shape.hiddenSize, 3);
      const { out } = await runKernel(gpu, {
        ...{ kernel: embed, shape, variant, isSoftware },
        step: { position: 0, numTokens: tokens.length },
        inputs: { tokens: Uint32Array.from(tokens), table: table.bits },
        outputs: { out: tokens.length * shape.hiddenSize * 4 },
        grid: embedGrid(tokens.length),
      });
      const expected = embedReference(tokens, table.values, shape.hiddenSize);
      expectClose(new Float32Array(out), expected, { absolute: 1e-45 });
    },
  },
];
