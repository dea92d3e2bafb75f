/**
 * How vec kernels multiply inputs with int8 or MXFP4 weights: as f32, or quantised to int8 with an f32 scale for each few
 * of them (lib/int8-activations.wgsl), which needs the WGSL feature packed_4x8_integer_dot_product (`Gpu.hasPackedDot`).
 */
export type ActivationFormat = "f32" | "int8";

/** Part of the shape of every kernel that has both. */
export interface WithActivations {
  /** Default f32. Weights in bf16 are multiplied as f32 whatever it is. */
  readonly activations?: ActivationFormat;
}
