// int8 dense weights against bf16: KL divergence of the logits, greedy choices, and what lies in the buffers.
import { describe, expect, it } from "vitest";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { kernelVariants } from "../gpu/gpu.ts";
import { logitsOf } from "../testing/model-logits.ts";
import { readNanoReference, readReference, repositoryPath } from "../testing/reference.ts";

/** What int8 may cost, in nats. */
const mostDivergence = 5e-3;
/** Where bf16 prefers its best token by more than this, int8 must choose the same. */
const clearMargin = 0.1;

const nano = repositoryPath("models/gpt-oss-nano");
const fixtures = ["tiny-mxfp4", "tiny-sharded", "tiny-bf16-experts"].map((name) => {
  const folder = repositoryPath(`fixtures/${name}`);
  return { name, folder, sequences: readReference(folder).map(({ tokens }) => tokens) };
});
const nanoSequences = readNanoReference(nano)
  .slice(0, 3)
  .map(({ prompt, greedy }) => [...prompt, ...greedy]);

/** KL(p || q) of the softmax of two rows of logits, in float64. */
function divergence(p: Float32Array, q: Float32Array): number {
  const logSum = (logits: Float32Array) => {
    const most = logits.reduce((a, b) => Math.max(a, b));
    return most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
  };
  const [pSum, qSum] = [logSum(p), logSum(q)];
  return p.reduce(
    (sum, logit, i) => sum + Math.exp(logit - pSum) * (logit - pSum - (q[i] ?? Number.NaN) + qSum),
    0,
  );
}

/** The best id of a row, and how far the second is behind. */
function best(logits: Float32Array): { id: number; margin: number } {
  let id = 0;
  logits.forEach((logit, i) => {
    if (logit > (logits[id] ?? 0)) id = i;
  });
  const second = logits.reduce((most, logit, i) => (i === id ? most : Math.max(most, logit)), -Infinity);
  return { id, margin: (logits[id] ?? 0) - second };
}

function compare(bf16: Float32Array, int8: Float32Array, numTokens: number) {
  const vocabSize = bf16.length / numTokens;
  const rows = Array.from({ length: numTokens }, (_, t) => {
    const row = (logits: Float32Array) => logits.subarray(t * vocabSize, (t + 1) * vocabSize);
    const [wanted, got] = [best(row(bf16)), best(row(int8))];
    return {
      divergence: divergence(row(bf16), row(int8)),
      isClear: wanted.margin > clearMargin,
      isSame: wanted.id === got.id,
    };
  });
  return {
    worst: Math.max(...rows.map((row) => row.divergence)),
    mean: rows.reduce((sum, row) => sum + row.divergence, 0) / numTokens,
    numClear: rows.filter(({ isClear }) => isClear).length,
    numFlipped: rows.filter(({ isClear, isSame }) => isClear && !isSame).length,
  };
}

async function expectNear(
  folder: string,
  tokens: readonly number[],
  variant: (typeof kernelVariants)[number],
) {
  const paths = ["prefill", "decode"] as const;
  const logits = (dense: "bf16" | "int8") =>
    logitsOf(createFolderFiles(folder), tokens, paths, { variant, dense, contextLength: 512 });
  const [bf16, int8] = [await logits("bf16"), await logits("int8")];
  for (const path of paths) {
    const found = compare(bf16[path], int8[path], tokens.length);
    console.log(folder.split("/").at(-1), variant, path, JSON.stringify(found));
    expect(found.worst, "int8 changes something").toBeGreaterThan(1e-9);
    expect(found.worst).toBeLessThan(mostDivergence);
    expect(found.numFlipped).toBe(0);
    expect(found.numClear).toBeGreaterThan(tokens.length / 4);
  }
}

describe.each(kernelVariants)("int8 dense weights (%s)", (variant) => {
  it.each(fixtures)("keep the logits of $name", async ({ folder, sequences }) => {
    for (const tokens of sequences) await expectNear(folder, tokens, variant);
  });

  it.each(nanoSequences.map((tokens, i) => ({ tokens, i })))(
    "keep the logits of gpt-oss-nano, prompt $i and its continuation",
    async ({ tokens }) => {
      await expectNear(nano, tokens, variant);
    },
  );
});
