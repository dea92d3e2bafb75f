import { type PublishedShape, publishedConfig, publishedShapes } from "../format/published-shapes.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { createSyntheticFiles } from "./synthetic-files.ts";

/** Shapes of random weights: the published ones, and a toy that shows within seconds, on a CPU too, that all works. */
export type BenchShape = "toy" | PublishedShape;
export const benchShapes: readonly BenchShape[] = ["toy", "20b", "120b"];

const toySizes = {
  ...{ num_hidden_layers: 2, num_local_experts: 6, hidden_size: 96, intermediate_size: 64 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 32, num_experts_per_tok: 2 },
  // As many tokens as the embedded model has: its tokenizer fits.
  ...{ vocab_size: 2560, eos_token_id: 3, sliding_window: 16 },
};

/** Layers of a whole model of the shape. */
export const layersOf = (shape: BenchShape): number =>
  shape === "toy" ? toySizes.num_hidden_layers : publishedShapes[shape].num_hidden_layers;

/** A checkpoint of random weights in a shape; `layers` may cut it. */
export function createShapeFiles(shape: BenchShape, layers?: number): CheckpointFiles {
  const cut = layers === undefined ? {} : { num_hidden_layers: layers };
  const config =
    shape === "toy" ? { ...publishedConfig("20b"), ...toySizes, ...cut } : publishedConfig(shape, layers);
  return createSyntheticFiles(
    config,
    `synthetic ${shape}${layers === undefined ? "" : `, ${layers} layers`}`,
  );
}
