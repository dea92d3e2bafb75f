// What every kernel of a pass knows about the tokens it works on. The same layout serves a decode step (advanced on
// the GPU by sample-advance) and a prefill chunk (written by the CPU). See src/kernels/step.ts for the offsets.
struct Step {
  position: u32,        // position of the first token of this pass
  num_tokens: u32,      // T, tokens in this pass
  stopped: u32,         // 1 once a stop token was sampled: later steps do nothing
  num_generated: u32,   // tokens sampled so far in this request
  seed: u32,            // of the sampler
  inv_temperature: f32, // 0 means greedy
  padding_0: u32,
  padding_1: u32,
}
