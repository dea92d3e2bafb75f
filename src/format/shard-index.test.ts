import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEngineError } from "../errors.ts";
import { isPlainFileName } from "./file-name.ts";
import { parseShardIndex } from "./shard-index.ts";

describe("parseShardIndex", () => {
  it("reads a real index, file names as they are", () => {
    const index = parseShardIndex(readFileSync("fixtures/tiny-sharded/model.safetensors.index.json", "utf8"));
    expect(index.files).toEqual([
      "model-00000-of-00002.safetensors",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ]);
    expect(index.fileOfTensor.size).toBe(3 * 19 + 3);
  });
  it.each([
    ["../model.safetensors"],
    ["a/b.safetensors"],
    ["a\\b.safetensors"],
    ["https://evil.example/x.safetensors"],
    ["//evil.example/x.safetensors"],
    ["x.safetensors?a"],
    ["%2e%2e%2fx.safetensors"],
    [".hidden.safetensors"],
    ["a..safetensors"],
    ["model.bin"],
    [""],
  ])("refuses the file name %j", (file) => {
    expect(() => parseShardIndex(JSON.stringify({ weight_map: { a: file } }))).toThrow(
      /plain name of a \.safetensors/,
    );
  });
  it.each([
    ["{}", /weight_map must be an object/],
    ["[]", /weight_map must be an object/],
    ['{"weight_map":[]}', /weight_map must be an object/],
    ['{"weight_map":{}}', /weight_map is empty/],
    ['{"weight_map":{"a":7}}', /tensor a is mapped to 7/],
    ['{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}', /"a" twice/],
    ["<html>", /not valid JSON/],
  ])("refuses %s", (text, message) => {
    expect(() => parseShardIndex(text)).toThrow(message);
  });
  it("keeps __proto__ as an ordinary tensor name", () => {
    const index = parseShardIndex('{"weight_map":{"__proto__":"x.safetensors"}}');
    expect([...index.fileOfTensor]).toEqual([["__proto__", "x.safetensors"]]);
  });
  it("answers any JSON with an index of plain names or a typed error", () => {
    const json = fc.oneof(
      fc.json(),
      fc.record({ weight_map: fc.dictionary(fc.string(), fc.string()) }).map((v) => JSON.stringify(v)),
    );
    fc.assert(
      fc.property(json, (text) => {
        try {
          expect(parseShardIndex(text).files.every(isPlainFileName)).toBe(true);
        } catch (error) {
          if (!isEngineError(error, "checkpoint-invalid")) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
