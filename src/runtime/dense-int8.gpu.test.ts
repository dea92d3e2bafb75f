// int8 dense weights: the engine computes what float64 makes of the quantised weights, and that is near to bf16.
import { describe, expect, it } from "vitest";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { expectClose } from "../testing/compare.ts";
import { compareLogits, type LogitsChange } from "../testing/divergence.ts";
import { withMatrices } from "../testing/emulated-matrices.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { logitsOf } from "../testing/model-logits.ts";
import { readNanoReference, readReference, repositoryPath } from "../testing/reference.ts";
import { readCheckpoint, referenceLogits } from "../testing/reference-model.ts";

/** Mean KL divergence that int8 may cost, in nats. */
const mostDivergence = 5e-3;
/** Where bf16 prefers its best token by more than this, int8 must choose the same. */
const clearMargin = 0.1;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function expectNear(changes: readonly LogitsChange[]): void {
  const divergences = changes.map(({ divergence }) => divergence);
  expect(mean(divergences)).toBeGreaterThan(0); // int8 it is
  expect(mean(divergences)).toBeLessThan(mostDivergence);
  const clear = changes.filter(({ margin }) => margin > clearMargin);
  expect(clear.length).toBeGreaterThan(changes.length / 2);
  expect(clear.filter(({ isSame }) => !isSame)).toEqual([]);
}

/**
 * Fixtures have random routers, whose experts have nothing in common: where two of them are all but equal, any rounding
 * may swap them, and the logits of that position are those of another function. Such positions are told from the float64
 * reference and held to it alone.
 */
async function referenceOf(folder: string) {
  const { config, bytes } = await readCheckpoint(createFolderFiles(folder));
  return readReference(folder).map(({ tokens, logits: wanted }) => {
    const chosen = (dense: "bf16" | "int8") => {
      const experts: string[][] = [];
      const onExperts = (_: number, ids: Uint32Array) => {
        const count = config.expertsPerToken;
        experts.push(tokens.map((_, t) => [...ids.slice(t * count, (t + 1) * count)].sort().join()));
      };
      return { logits: referenceLogits(config, bytes, tokens, { dense, onExperts }), experts };
    };
    const [bf16, int8] = [chosen("bf16"), chosen("int8")];
    const keepsExperts = tokens.map((_, t) =>
      bf16.experts.every((layer, i) => layer[t] === int8.experts[i]?.[t]),
    );
    return { tokens, wanted, expected: int8.logits, keepsExperts };
  });
}

describe.each(["tiny-mxfp4", "tiny-sharded", "tiny-bf16-experts"])("int8 dense weights of %s", (name) => {
  const folder = repositoryPath(`fixtures/${name}`);
  const reference = referenceOf(folder);

  // One path a variant: kernel tests and shapes.gpu.test.ts have the others. Emulated matrices take long: one fixture.
  it.each([
    ["subgroups", "prefill", "as loaded here"],
    ["workgroup", "decode", "as loaded here"],
    ...(name === "tiny-bf16-experts" ? ([["subgroups", "prefill", "by matrices"]] as const) : []),
  ] as const)(
    "give the logits of the quantised reference, near those of bf16 (%s, %s, %s)",
    async (variant, path, tiles) => {
      const byMatrices = new Set<string>();
      const withThem = withMatrices(await testGpu(), (source) => {
        byMatrices.add(source.id);
        return source;
      });
      const gpu = tiles === "by matrices" ? withThem : await testGpu();
      const changes = { all: [] as LogitsChange[], calm: [] as LogitsChange[] };
      const options = { variant, dense: "int8", contextLength: 512 } as const;
      for (const { tokens, wanted, expected, keepsExperts } of await reference) {
        const logits = (await logitsOf(createFolderFiles(folder), tokens, [path], options, gpu))[path];
        expectClose(logits, expected, { absolute: 1e-3 }, `${path} logits`);
        const found = compareLogits(wanted, logits, tokens.length);
        changes.all.push(...found);
        changes.calm.push(...found.filter((_, t) => keepsExperts[t]));
      }
      expect(byMatrices.has("linear-tile")).toBe(gpu === withThem);
      expectNear(changes.calm);
      expect(changes.calm.length / changes.all.length).toBeGreaterThan(0.9);
    },
  );
});

describe("int8 dense weights of gpt-oss-nano", () => {
  const folder = repositoryPath("models/gpt-oss-nano");
  const sequences = readNanoReference(folder).map(({ prompt, greedy }, i) => ({ i, prompt, greedy }));

  it.each(sequences.slice(4, 5))(
    "keep the logits of prompt $i, and the choice of every token of its answer",
    async ({ prompt, greedy }) => {
      const tokens = [...prompt, ...greedy];
      const logits = async (dense: "bf16" | "int8") =>
        (await logitsOf(createFolderFiles(folder), tokens, ["prefill"], { dense, contextLength: 512 }))
          .prefill;
      const found = compareLogits(await logits("bf16"), await logits("int8"), tokens.length);
      expect(mean(found.map(({ divergence }) => divergence))).toBeLessThan(mostDivergence);
      const answer = found.slice(prompt.length - 1);
      for (const { divergence } of answer) expect(divergence).toBeLessThan(mostDivergence);
      expectNear(answer);
    },
  );
});
