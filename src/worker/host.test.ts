import { expect, it } from "vitest";
import { EngineError } from "../errors.ts";
import type { CheckpointManifest } from "../format/types.ts";
import { createFakeEngine, fakeServices } from "../testing/fake-engine.ts";
import { createHost } from "./host.ts";

it("refuses a model that the adapter cannot hold before its weights are fetched", async () => {
  const manifest = {} as CheckpointManifest;
  const asked: unknown[] = [];
  let fetched = false;
  const engine = createFakeEngine({
    checkFits: (...seen) => {
      asked.push(seen);
      throw new EngineError("limit-exceeded", "embedding needs more than this adapter allows.");
    },
  });
  const { api } = createHost(
    fakeServices(engine, {
      openModel: async (source, options) => {
        options.onManifest(manifest);
        fetched = true;
        return fakeServices(engine).openModel(source, options);
      },
    }),
  );
  const loading = api.load(1, { baseUrl: "https://models.test/" }, { contextLength: 100 }, async () => {});
  await expect(loading).rejects.toMatchObject({ code: "limit-exceeded" });
  expect(asked).toEqual([[manifest, { contextLength: 100 }]]);
  expect(fetched).toBe(false);
  expect(engine.info).toBeUndefined();
});
