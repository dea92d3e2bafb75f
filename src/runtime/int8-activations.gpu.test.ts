// int8 activations: decoding computes what float64 makes of quantised inputs, prompts keep f32, and how far that is from f32
// (docs/performance.md has all figures).
import { describe, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { expectClose } from "../testing/compare.ts";
import { compareLogits, type LogitsChange } from "../testing/divergence.ts";
import { logitsOf } from "../testing/model-logits.ts";
import { readNanoReference, readReference, repositoryPath } from "../testing/reference.ts";
import { readCheckpoint, referenceLogits } from "../testing/reference-model.ts";
import { createEngine } from "./engine.ts";

const activations = "int8";
const meanDivergence = (changes: readonly LogitsChange[]) =>
  changes.reduce((sum, { divergence }) => sum + divergence, 0) / changes.length;

/**
 * `most` bounds the mean divergence from transformers, `disagreeing` the share of positions with another best token among
 * those whose best is ahead by more than 0.1: about twice what was measured.
 */
describe.each([
  ["tiny-mxfp4", { dense: "bf16", variant: "subgroups" }, { most: 1e-2, disagreeing: 0.04 }],
  ["tiny-bf16-experts", { dense: "int8", variant: "workgroup" }, { most: 1.2e-3, disagreeing: 0 }],
] as const)("int8 activations of %s", (name, options, { most, disagreeing }) => {
  it("give the logits of the quantised reference in decoding, those of f32 in prompts", async () => {
    const files = createFolderFiles(repositoryPath(`fixtures/${name}`));
    const { config, bytes } = await readCheckpoint(files);
    const fromReference: LogitsChange[] = [];
    const fromFloats: LogitsChange[] = [];
    for (const { tokens, logits: wanted } of readReference(repositoryPath(`fixtures/${name}`))) {
      const paths = options.dense === "bf16" ? (["prefill", "decode"] as const) : (["decode"] as const);
      const load = { ...options, activations, contextLength: 512 } as const;
      const got = await logitsOf(files, tokens, paths, load);
      if (options.dense === "bf16") expectClose(got.prefill, wanted, { absolute: 1e-3 }, "prefill logits");
      const expected = referenceLogits(config, bytes, tokens, { dense: options.dense, activations });
      fromReference.push(...compareLogits(expected, got.decode, tokens.length));
      fromFloats.push(...compareLogits(wanted, got.decode, tokens.length));
    }
    // Not equal to a rounding: an input that f32 puts on the other side of the middle of two codes moves by a whole code.
    expect(meanDivergence(fromReference)).toBeLessThan(most / 10);
    expect(meanDivergence(fromFloats)).toBeGreaterThan(most / 10);
    expect(meanDivergence(fromFloats)).toBeLessThan(most);
    const clear = fromFloats.filter(({ margin }) => margin > 0.1);
    expect(clear.length).toBeGreaterThan(fromFloats.length / 2);
    expect(clear.filter(({ isSame }) => !isSame).length).toBeLessThanOrEqual(disagreeing * clear.length);
  });
});

it("gpt-oss-nano answers the same with int8 weights and activations", async () => {
  const folder = repositoryPath("models/gpt-oss-nano");
  const [{ prompt, greedy } = { prompt: [], greedy: [] }] = readNanoReference(folder).slice(5);
  const engine = await createEngine(
    await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"),
  );
  try {
    const load = { dense: "int8", activations, contextLength: 512 } as const;
    expect(await engine.load(createFolderFiles(folder), load)).toMatchObject({ dense: "int8", activations });
    const tokens: number[] = [];
    for await (const token of engine.generate(prompt, { maxNewTokens: 24, temperature: 0 }))
      tokens.push(token);
    expect(greedy.length).toBeGreaterThan(24);
    expect(tokens).toEqual(greedy.slice(0, 24));
  } finally {
    engine.dispose();
  }
});
