import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineError, isEngineError } from "../errors.ts";
import { parseGenerationEos, parseModelConfig } from "./config.ts";

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8"));
}

const base = readJson("fixtures/tiny-mxfp4/config.json");
const rope = base.rope_scaling as Record<string, unknown>;

describe("parseModelConfig", () => {
  it("reads the rope_scaling dialect", () => {
    expect(parseModelConfig(base)).toEqual({
      numLayers: 4,
      hiddenSize: 128,
      intermediateSize: 96,
      numHeads: 4,
      numKvHeads: 2,
      headDim: 64,
      numExperts: 8,
      expertsPerToken: 4,
      slidingWindow: 8,
      layerTypes: ["sliding", "full", "sliding", "full"],
      vocabSize: 320,
      rmsNormEps: 1e-5,
      swigluLimit: 7,
      rope: {
        theta: 150000,
        factor: 32,
        betaFast: 32,
        betaSlow: 1,
        truncate: false,
        originalMaxPositionEmbeddings: 4096,
      },
      maxPositionEmbeddings: 131072,
      eosTokenIds: [318],
      expertFormat: "mxfp4",
    });
  });
  it("reads the rope_parameters dialect to the same rope", () => {
    const sharded = parseModelConfig(readJson("fixtures/tiny-sharded/config.json"));
    expect(sharded.rope).toEqual(parseModelConfig(base).rope);
    expect(sharded.numHeads).toBe(6);
  });
  it("takes experts as bf16 where there is no quantization_config", () => {
    expect(parseModelConfig(readJson("fixtures/tiny-bf16-experts/config.json")).expertFormat).toBe("bf16");
  });
  it("reads the embedded model", () => {
    const nano = parseModelConfig(readJson("models/gpt-oss-nano/config.json"));
    expect([nano.numLayers, nano.numExperts, nano.vocabSize, nano.eosTokenIds]).toEqual([
      8,
      16,
      2560,
      [2548],
    ]);
  });
  it("alternates layers, sliding first, where layer_types is absent", () => {
    const { layer_types: _, ...rest } = base;
    expect(parseModelConfig({ ...rest, num_hidden_layers: 3 }).layerTypes).toEqual([
      "sliding",
      "full",
      "sliding",
    ]);
  });
  it("accepts the original names of the expert counts", () => {
    const { num_experts_per_tok: _, num_local_experts: __, ...rest } = base;
    const config = parseModelConfig({ ...rest, experts_per_token: 3, num_experts: 5 });
    expect([config.expertsPerToken, config.numExperts]).toEqual([3, 5]);
  });
  it.each([
    ["window 1", { sliding_window: 1 }],
    ["5 experts, all active", { num_local_experts: 5, num_experts_per_tok: 5, experts_per_token: 5 }],
    ["16 heads of 8", { num_attention_heads: 16, num_key_value_heads: 16, head_dim: 8 }],
    ["one layer", { num_hidden_layers: 1, layer_types: ["full_attention"], sliding_window: null }],
    ["no stop id", { eos_token_id: null }],
    ["several stop ids", { eos_token_id: [1, 2, 1] }],
    ["256 experts", { num_local_experts: 256, num_experts: null }],
    ["heads of 128 dims", { head_dim: 128 }],
  ])("accepts %s", (_, change) => {
    expect(() => parseModelConfig({ ...base, ...change })).not.toThrow();
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["model_type", { model_type: "llama" }, /model_type must be "gpt_oss"/],
    ["a missing size", { hidden_size: undefined }, /hidden_size must be .*but is missing/],
    ["a fractional size", { hidden_size: 128.5 }, /hidden_size must be a whole number/],
    ["a size as text", { vocab_size: "320" }, /vocab_size must be .* but is "320"/],
    ["zero layers", { num_hidden_layers: 0 }, /num_hidden_layers must be/],
    ["absurdly many layers", { num_hidden_layers: 1e9 }, /num_hidden_layers must be .* to 1024/],
    ["H not in blocks of 32", { hidden_size: 100 }, /hidden_size must be a multiple of 32/],
    ["F not in blocks of 32", { intermediate_size: 100 }, /intermediate_size must be a multiple of 32/],
    [
      "H not in blocks of 32 with bf16 experts",
      { hidden_size: 72, quantization_config: null },
      /hidden_size must be a multiple of 32.* but is 72/,
    ],
    [
      "F not in blocks of 32 with bf16 experts",
      { intermediate_size: 48, quantization_config: null },
      /intermediate_size must be a multiple of 32.* but is 48/,
    ],
    [
      "more experts than the router holds",
      { num_local_experts: 300, num_experts: null },
      /num_local_experts must be at most 256.* but is 300/,
    ],
    ["heads that are too wide", { head_dim: 256 }, /head_dim must be at most 128.* but is 256/],
    ["head_dim", { head_dim: 60 }, /head_dim must be a multiple of 8/],
    ["heads that do not group", { num_attention_heads: 5 }, /num_attention_heads must be a multiple of/],
    ["more active experts than there are", { num_local_experts: 3 }, /num_experts_per_tok must be at most/],
    [
      "two spellings that differ",
      { experts_per_token: 2 },
      /num_experts_per_tok must be 2, as experts_per_token/,
    ],
    ["attention_bias false", { attention_bias: false }, /attention_bias must be true/],
    ["tied embeddings", { tie_word_embeddings: true }, /tie_word_embeddings must be false/],
    ["another activation", { hidden_act: "gelu" }, /hidden_act must be "silu"/],
    ["layer_types of another length", { layer_types: ["full_attention"] }, /layer_types must be a list of 4/],
    ["an unknown layer type", { layer_types: Array(4).fill("linear") }, /layer_types\[0\] must be/],
    ["a missing window", { sliding_window: null }, /sliding_window must be/],
    ["no rope at all", { rope_scaling: undefined }, /rope_scaling must be an object/],
    ["plain rope", { rope_scaling: { rope_type: "default" } }, /rope_scaling\.rope_type must be "yarn"/],
    ["rope without theta", { rope_theta: undefined }, /rope_theta must be a number above 0/],
    [
      "an attention factor",
      { rope_scaling: { ...rope, attention_factor: 1.5 } },
      /attention_factor must be .*absent/,
    ],
    [
      "rope factor below 1",
      { rope_scaling: { ...rope, factor: 0.5 } },
      /rope_scaling\.factor must be 1 or more/,
    ],
    [
      "truncate as text",
      { rope_scaling: { ...rope, truncate: "no" } },
      /rope_scaling\.truncate must be true or/,
    ],
    [
      "another quantization",
      { quantization_config: { quant_method: "fp8" } },
      /quant_method must be "mxfp4"/,
    ],
    ["a negative stop id", { eos_token_id: -1 }, /eos_token_id must be a token id/],
    ["a stop id outside the vocabulary", { eos_token_id: 320 }, /eos_token_id 320 is outside vocab_size 320/],
    ["eps 0", { rms_norm_eps: 0 }, /rms_norm_eps must be a number above 0/],
  ])("refuses %s and names the field", (_, change, message) => {
    expect(() => parseModelConfig({ ...base, ...change })).toThrow(EngineError);
    expect(() => parseModelConfig({ ...base, ...change })).toThrow(message);
  });
  it.each([[null], [[]], ["text"], [7]])("refuses %j as a config", (json) => {
    expect(() => parseModelConfig(json)).toThrow(/must be a JSON object/);
  });
  it("answers any value in any field with a config or a typed error", () => {
    const change = fc.tuple(fc.constantFrom(...Object.keys(base)), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        try {
          const config = parseModelConfig({ ...base, ...Object.fromEntries(changes) });
          expect(config.layerTypes).toHaveLength(config.numLayers);
          expect(Number.isSafeInteger(config.hiddenSize * config.vocabSize)).toBe(true);
        } catch (error) {
          if (!isEngineError(error, "checkpoint-invalid")) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("parseGenerationEos", () => {
  it.each([
    [{ eos_token_id: 5 }, [5]],
    [{ eos_token_id: [5, 6, 5] }, [5, 6]],
    [{}, []],
    [{ eos_token_id: null }, []],
  ])("reads %j", (json, ids) => {
    expect(parseGenerationEos(json)).toEqual(ids);
  });
  it.each([[{ eos_token_id: "5" }], [{ eos_token_id: [1.5] }], [[5]]])("refuses %j", (json) => {
    expect(() => parseGenerationEos(json)).toThrow(/generation_config\.json/);
  });
});
