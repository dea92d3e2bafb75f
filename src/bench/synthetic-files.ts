import { EngineError } from "../errors.ts";
import { parseModelConfig } from "../format/config.ts";
import { expectedTensors } from "../format/expected-tensors.ts";
import type { PublishedShape } from "../format/published-shapes.ts";
import { dtypeBytes, type ExpectedTensor, type ModelConfig } from "../format/types.ts";
import type { CheckpointFiles } from "../weights/types.ts";

/** Shapes with published sizes; `layers` may cut them. */
export {
  publishedConfig as syntheticConfig,
  publishedShapes as syntheticShapes,
} from "../format/published-shapes.ts";
export type SyntheticShape = PublishedShape;

/** Random bytes are made once and repeated: 4 MiB less a bit, so that repeats do not line up with rows. */
const patternBytes = 4 * 1024 * 1024 - 4096;

/**
 * A checkpoint of random weights made as it is read: finite activations, routing spread over the experts, no files.
 * It goes through the same reader, checks and upload as a real one.
 */
export function createSyntheticFiles(configJson: Record<string, unknown>, id: string): CheckpointFiles {
  const config = parseModelConfig(configJson);
  const { header, dataStart, spans, sizeBytes } = layOut(config);
  let patterns: ReturnType<typeof createPatterns> | undefined;
  return {
    id,
    readText: async (name) => (name === "config.json" ? JSON.stringify(configJson) : undefined),
    sizeBytes: async () => sizeBytes,
    async read(_name, startBytes, endBytes) {
      const out = new Uint8Array(endBytes - startBytes);
      for (let at = startBytes; at < endBytes; ) {
        if (at < dataStart) {
          const part = header.subarray(at, Math.min(endBytes, dataStart));
          out.set(part, at - startBytes);
          at += part.byteLength;
          continue;
        }
        const span = spanAt(spans, at - dataStart);
        const end = Math.min(endBytes, dataStart + span.end);
        patterns ??= createPatterns(); // made when data is read, not where only headers are
        fill(
          out.subarray(at - startBytes, end - startBytes),
          patterns(span.tensor),
          at - dataStart - span.start,
        );
        at = end;
      }
      return out;
    },
  };
}

interface Span {
  readonly tensor: ExpectedTensor;
  readonly start: number;
  readonly end: number;
}

function layOut(config: ModelConfig) {
  const spans: Span[] = [];
  const entries: Record<string, unknown> = {};
  let offset = 0;
  for (const tensor of expectedTensors(config).values()) {
    const end = offset + tensor.shape.reduce((product, size) => product * size, dtypeBytes[tensor.dtype]);
    entries[tensor.name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    spans.push({ tensor, start: offset, end });
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(entries));
  const padded = Math.ceil(text.byteLength / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, 8);
  return { header, dataStart: header.byteLength, spans, sizeBytes: header.byteLength + offset };
}

function spanAt(spans: readonly Span[], offset: number): Span {
  let low = 0;
  let high = spans.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const span = spans[low];
  if (span === undefined || offset < span.start || offset >= span.end)
    throw new EngineError("internal", `There is no synthetic tensor at ${offset}.`);
  return span;
}

/** Bytes for a kind of tensor: MXFP4 codes, scales around 2^-6, norm gains near 1, other weights of deviation 0.02. */
function createPatterns(): (tensor: ExpectedTensor) => Uint8Array {
  const random = xorshift(0x9e3779b9);
  const codes = new Uint8Array(patternBytes).map(() => random() >>> 24);
  const scales = new Uint8Array(patternBytes).map(() => 119 + ((random() >>> 24) & 3));
  const weights = bf16Pattern(random, 0, 0.02);
  const gains = bf16Pattern(random, 1, 0.1);
  return ({ name }) => {
    if (name.endsWith("_blocks")) return codes;
    if (name.endsWith("_scales")) return scales;
    return name.includes("norm") ? gains : weights;
  };
}

function bf16Pattern(random: () => number, mean: number, deviation: number): Uint8Array {
  const words = new Uint16Array(patternBytes / 2);
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  for (let i = 0; i < words.length; i += 1) {
    // Uniform of the wanted deviation; its shape does not matter here.
    float[0] = mean + deviation * Math.sqrt(12) * (random() / 4294967296 - 0.5);
    words[i] = (bits[0] ?? 0) >>> 16;
  }
  return new Uint8Array(words.buffer);
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function fill(target: Uint8Array, pattern: Uint8Array, offset: number): void {
  for (let at = 0; at < target.byteLength; ) {
    const from = (offset + at) % pattern.byteLength;
    const part = pattern.subarray(from, from + target.byteLength - at);
    target.set(part, at);
    at += part.byteLength;
  }
}
