import { readFields } from "./config-fields.ts";

/** True for the config.json of OpenAI's own layout (`original/`): it names no `model_type`. */
export function isOriginalConfig(json: unknown): boolean {
  if (typeof json !== "object" || json === null || "model_type" in json) return false;
  return "initial_context_length" in json && "rope_scaling_factor" in json;
}

/**
 * The same config as Hugging Face's config.json says it. What OpenAI's own leaves to the code is filled in: the eps of
 * the norms, YaRN without truncation, a maximum of first context times scaling factor, MXFP4 experts, sliding and full
 * layers by turns. It names no stop tokens: those come with the tokenizer.
 * @throws checkpoint-invalid naming the field
 */
export function originalConfigAsHf(json: unknown, file: string): Record<string, unknown> {
  const fields = readFields(json, file);
  const firstContext = fields.integer("initial_context_length");
  const factor = fields.positive("rope_scaling_factor");
  return {
    ...(json as Record<string, unknown>), // readFields has checked that it is an object
    model_type: "gpt_oss",
    max_position_embeddings: Math.floor(firstContext * factor),
    rope_scaling: {
      rope_type: "yarn",
      factor,
      beta_fast: fields.positive("rope_ntk_beta"),
      beta_slow: fields.positive("rope_ntk_alpha"),
      truncate: false,
      original_max_position_embeddings: firstContext,
    },
    quantization_config: { quant_method: "mxfp4" },
  };
}
