/** Shapes with published sizes. */
export const publishedShapes = {
  "20b": { num_hidden_layers: 24, num_local_experts: 32 },
  "120b": { num_hidden_layers: 36, num_local_experts: 128 },
} as const;
export type PublishedShape = keyof typeof publishedShapes;

/** config.json of gpt-oss-20b or gpt-oss-120b as far as it says what is computed; `layers` may cut it. */
export function publishedConfig(shape: PublishedShape, layers?: number): Record<string, unknown> {
  return {
    architectures: ["GptOssForCausalLM"],
    model_type: "gpt_oss",
    ...publishedShapes[shape],
    ...(layers === undefined ? {} : { num_hidden_layers: layers }),
    hidden_size: 2880,
    intermediate_size: 2880,
    num_attention_heads: 64,
    num_key_value_heads: 8,
    head_dim: 64,
    num_experts_per_tok: 4,
    sliding_window: 128,
    max_position_embeddings: 131072,
    vocab_size: 201088,
    rms_norm_eps: 1e-5,
    swiglu_limit: 7,
    attention_bias: true,
    tie_word_embeddings: false,
    eos_token_id: 200002,
    rope_theta: 150000,
    rope_scaling: {
      rope_type: "yarn",
      factor: 32,
      beta_fast: 32,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 4096,
    },
    quantization_config: { quant_method: "mxfp4" },
  };
}
