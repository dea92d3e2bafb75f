// How many shader modules a load compiles, whatever the adapter binds.
import { describe, expect, it } from "vitest";
import { createShapeFiles } from "../bench/shapes.ts";
import { dryPlan } from "../testing/dry-plan.ts";
import { affordableTrials, mostModules } from "./tuner-trials.ts";

const mebibyte = 2 ** 20;
const formats = ["bf16", "int8"] as const;
const bindings = [128 * mebibyte, 256 * mebibyte, 1024 * mebibyte, 2 ** 31 - 4];

describe.each(["20b", "120b"] as const)("the modules of %s", (shape) => {
  const files = createShapeFiles(shape, 2); // a layer of each type
  it.each(formats.flatMap((dense) => bindings.map((bindingBytes) => ({ dense, bindingBytes }))))(
    "are at most 40, measuring included, where $bindingBytes bytes are bound: $dense",
    async ({ dense, bindingBytes }) => {
      const adapter = { bindingBytes };
      const { gpu, weights, config, planOptions, modules } = await dryPlan(files, { dense }, adapter);
      // Parts share their modules, but for the vocabulary's last one, which is shorter.
      expect(modules.size).toBeLessThanOrEqual(26);
      const input = { weights, config, options: { ...planOptions, mxfp4: "half" as const } };
      const all = new Set(modules.keys());
      const trials = await affordableTrials(gpu, input);
      const rows = trials.map(({ key, tuning }) => ({ [key]: tuning[key] }));
      // The winners of all rows together, whichever they are, make no further text.
      for (const tuning of [...rows, Object.assign({}, ...rows)])
        for (const code of (await dryPlan(files, { dense, tuning }, adapter)).modules.keys()) all.add(code);
      // Beside them: the tests of subgroups and of MXFP4, and the quantizer.
      const besides = dense === "int8" ? 3 : 2;
      expect(all.size + besides).toBeLessThanOrEqual(mostModules);
    },
  );

  it("are in parts where little is bound", async () => {
    const { weights } = await dryPlan(files, {}, { bindingBytes: 128 * mebibyte });
    const [layer] = weights.layers;
    const counts = [weights.embedding, weights.lmHead, layer?.gateUp.parts ?? []].map(({ length }) => length);
    for (const count of counts) expect(count).toBeGreaterThan(1);
  });
});
