import { describe, expect, test } from "vitest";
import { EngineError, errorCodes } from "../src/index.ts";
import { failureSentence } from "./failure-sentences.ts";

describe("failure sentences", () => {
  test.each(errorCodes)("%s says what happened and what to do", (code) => {
    const { what, advice } = failureSentence(new EngineError(code, "detail"));
    expect(what).toMatch(/^[A-Z].{10,}\.$/);
    expect(advice).toMatch(/^[A-Z].{10,}\.$/);
  });

  test("each is its own", () => {
    const all = errorCodes.map((code) => failureSentence(new EngineError(code, "detail")).what);
    expect(new Set(all).size).toBe(errorCodes.length);
  });

  test("a wrong tensor is named", () => {
    const one = new EngineError("checkpoint-invalid", "…", { details: { tensors: ["model.norm.weight"] } });
    expect(failureSentence(one).what).toContain("model.norm.weight");
    const two = new EngineError("checkpoint-invalid", "…", { details: { tensors: ["a", "b", "c"] } });
    expect(failureSentence(two).what).toContain("the tensor a is wrong, and 2 more");
  });

  test("a wrong file is named", () => {
    const error = new EngineError("checkpoint-invalid", "…", { details: { file: "config.json" } });
    expect(failureSentence(error).what).toContain("config.json");
  });
});
