// Gumbel noise from a counter: argmax(logit / temperature + noise) is an exact sample of softmax(logit / temperature).
// The hash is PCG-RXS-M-XS-32 (O'Neill 2014, as used for GPUs by Jarzynski and Olano 2020), chained over the counters.
fn pcg(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// -log(E) with E = -log(1 - v) exponential, v uniform in (0, 1). Small v, which make the largest noise, go through the
// series of log(1 - v): WGSL's log is only good to 2^-21 absolute near 1.
fn gumbel(seed: u32, draw: u32, index: u32) -> f32 {
  let v = (f32(pcg(index ^ pcg(draw ^ pcg(seed)))) + 0.5) * 2.3283064365386963e-10;
  let series = v * (1.0 + v * (0.5 + v * (0.33333334 + v * (0.25 + v * (0.2 + v * 0.16666667)))));
  let exponential = select(-log(max(1.0 - v, 5.9604645e-8)), series, v < 0.05);
  return -log(exponential);
}
