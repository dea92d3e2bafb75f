import { type Fields, readFields, readTokenIds, wrongField } from "./config-fields.ts";
import { checkSizes } from "./config-sizes.ts";
import { isOriginalConfig, originalConfigAsHf } from "./original-config.ts";
import type { LayerType, ModelConfig, RopeConfig } from "./types.ts";

export const configName = "config.json";
export const generationConfigName = "generation_config.json";

const maxLayers = 1_024;

/**
 * Checks a parsed config.json of a gpt-oss model, in either dialect of Hugging Face (`rope_scaling` + `rope_theta`, or
 * `rope_parameters`) or in that of OpenAI's own layout. A field that asks for something this engine does not compute is an error.
 * @throws checkpoint-invalid naming the field
 */
export function parseModelConfig(json: unknown): ModelConfig {
  const hf = isOriginalConfig(json) ? originalConfigAsHf(json, configName) : json;
  const fields = readFields(hf, configName);
  checkImplemented(fields);
  const numLayers = fields.integer("num_hidden_layers", { max: maxLayers });
  const layerTypes = parseLayerTypes(fields, numLayers);
  const maxPositionEmbeddings = fields.integer("max_position_embeddings");
  const hasSliding = layerTypes.includes("sliding");
  const config: ModelConfig = {
    numLayers,
    hiddenSize: fields.integer("hidden_size"),
    intermediateSize: fields.integer("intermediate_size"),
    numHeads: fields.integer("num_attention_heads"),
    numKvHeads: fields.integer("num_key_value_heads"),
    headDim: fields.integer("head_dim", { fallback: 64 }),
    numExperts: sameInteger(fields, "num_local_experts", "num_experts"),
    expertsPerToken: sameInteger(fields, "num_experts_per_tok", "experts_per_token"),
    slidingWindow: fields.integer("sliding_window", hasSliding ? {} : { fallback: maxPositionEmbeddings }),
    layerTypes,
    vocabSize: fields.integer("vocab_size"),
    rmsNormEps: fields.positive("rms_norm_eps", 1e-5),
    swigluLimit: fields.positive("swiglu_limit", 7),
    rope: parseRope(fields),
    maxPositionEmbeddings,
    eosTokenIds: readTokenIds(fields, configName, "eos_token_id"),
    expertFormat: parseExpertFormat(fields),
  };
  checkSizes(config, configName);
  return config;
}

/**
 * Stop ids of a parsed generation_config.json (`eos_token_id`: a number or a list); empty where it has none.
 * @throws checkpoint-invalid
 */
export function parseGenerationEos(json: unknown): number[] {
  return readTokenIds(readFields(json, generationConfigName), generationConfigName, "eos_token_id");
}

function checkImplemented(fields: Fields): void {
  if (fields.raw("model_type") !== "gpt_oss") {
    const why = '"gpt_oss"; other architectures are not supported';
    throw wrongField(configName, "model_type", why, fields.raw("model_type"));
  }
  fields.only("attention_bias", [true], "gpt-oss has biases on q, k, v and o");
  fields.only("tie_word_embeddings", [false], "gpt-oss has its own lm_head");
  fields.only("hidden_act", ["silu"], "the activation of the experts is fixed");
  fields.only("partial_rotary_factor", [1], "every head dimension is rotated");
}

function parseLayerTypes(fields: Fields, numLayers: number): LayerType[] {
  const value = fields.raw("layer_types");
  if (value === undefined)
    return Array.from({ length: numLayers }, (_, i) => (i % 2 === 0 ? "sliding" : "full"));
  if (!Array.isArray(value) || value.length !== numLayers) {
    throw wrongField(configName, "layer_types", `a list of ${numLayers} names (num_hidden_layers)`, value);
  }
  return value.map((name, layer): LayerType => {
    if (name === "sliding_attention") return "sliding";
    if (name === "full_attention") return "full";
    throw wrongField(configName, `layer_types[${layer}]`, '"sliding_attention" or "full_attention"', name);
  });
}

/** A number that configs spell in two ways; where both are there they must agree. */
function sameInteger(fields: Fields, name: string, alias: string): number {
  if (!fields.has(alias)) return fields.integer(name);
  const value = fields.integer(alias);
  if (fields.has(name) && fields.integer(name) !== value) {
    throw wrongField(configName, name, `${value}, as ${alias} says`, fields.raw(name));
  }
  return value;
}

function parseRope(fields: Fields): RopeConfig {
  const name = fields.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const rope = fields.object(name);
  if (rope === undefined) {
    throw wrongField(configName, "rope_scaling", "an object (or rope_parameters)", undefined);
  }
  const type = rope.raw("rope_type") ?? rope.raw("type");
  if (type !== "yarn") throw wrongField(configName, `${name}.rope_type`, '"yarn"', type);
  for (const unsupported of ["attention_factor", "mscale", "mscale_all_dim"]) {
    rope.only(unsupported, [], "absent: only the default YaRN attention scale is computed");
  }
  rope.only("partial_rotary_factor", [1], "every head dimension is rotated");
  const rest: RopeConfig = {
    theta: rope.has("rope_theta") ? rope.positive("rope_theta") : fields.positive("rope_theta"),
    factor: rope.positive("factor"),
    betaFast: rope.positive("beta_fast", 32),
    betaSlow: rope.positive("beta_slow", 1),
    truncate: rope.flag("truncate", true), // what transformers assumes; gpt-oss says false
    originalMaxPositionEmbeddings: rope.integer("original_max_position_embeddings"),
  };
  if (rest.theta <= 1) throw wrongField(configName, "rope_theta", "above 1", rest.theta);
  if (rest.factor < 1) throw wrongField(configName, `${name}.factor`, "1 or more", rest.factor);
  return rest;
}

function parseExpertFormat(fields: Fields): "mxfp4" | "bf16" {
  const quantization = fields.object("quantization_config");
  if (quantization === undefined) return "bf16";
  const method = quantization.raw("quant_method");
  if (method !== "mxfp4") {
    throw wrongField(
      configName,
      "quantization_config.quant_method",
      '"mxfp4" (or no quantization_config)',
      method,
    );
  }
  return "mxfp4";
}
