import { describe, expect, it } from "vitest";
import type { Gpu } from "../gpu/gpu.ts";
import { benchModel } from "./bench-model.ts";
import { checkContext, neededContext } from "./check-context.ts";
import { createShapeFiles } from "./shapes.ts";

describe("the context of a benchmark", () => {
  it.each<[number, string, Parameters<typeof neededContext>[0]]>([
    [129, "its answer", { promptTokens: [100], decodeTokens: 128 }],
    [201, "its longest prompt", { promptTokens: [16, 200], decodeTokens: 128 }],
    [964, "its depth", { promptTokens: [16], decodeTokens: 128, depth: 900 }],
    [904, "a short answer at depth", { promptTokens: [16], decodeTokens: 4, depth: 900 }],
    [33, "the prompt of the first token", { promptTokens: [4], decodeTokens: 2 }],
  ])("needs %i tokens for %s", (needed, _, lengths) => {
    expect(neededContext(lengths)).toBe(needed);
    expect(() => checkContext(needed, lengths)).not.toThrow();
    expect(() => checkContext(needed - 1, lengths)).toThrow(
      new RegExp(`needs ${needed}\\. Give a context of`),
    );
  });

  it("is checked before anything is measured or loaded", async () => {
    const device = { addEventListener() {}, removeEventListener() {} };
    const said: string[] = [];
    const run = benchModel({ device } as unknown as Gpu, {
      files: createShapeFiles("toy"),
      load: { contextLength: 128 },
      options: { promptTokens: [4], decodeTokens: 128, onProgress: (sentence) => void said.push(sentence) },
    });
    await expect(run).rejects.toMatchObject({ code: "request-invalid" });
    expect(said).toEqual([]);
  });
});
