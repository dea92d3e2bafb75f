import { EngineError } from "../errors.ts";
import { configName, parseModelConfig } from "../format/config.ts";
import { expectedTensors } from "../format/expected-tensors.ts";
import type { PublishedShape } from "../format/published-shapes.ts";
import { shardIndexName, singleShardName } from "../format/shard-index.ts";
import { dtypeBytes, type ExpectedTensor } from "../format/types.ts";
import type { CheckpointFiles } from "../weights/types.ts";

/** Shapes with published sizes; `layers` may cut them. */
export {
  publishedConfig as syntheticConfig,
  publishedShapes as syntheticShapes,
} from "../format/published-shapes.ts";
export type SyntheticShape = PublishedShape;

/** Random bytes are made once and repeated: 4 MiB less a bit, so that repeats do not line up with rows. */
const patternBytes = 4 * 1024 * 1024 - 4096;

export interface SyntheticOptions {
  /** Weight files, named and indexed as the published ones are. Default 1, without an index. */
  readonly numShards?: number;
}

/**
 * A checkpoint of random weights made as it is read: finite activations, routing spread over the experts, no files.
 * It goes through the same reader, checks and upload as a real one. Written to disk it is the same checkpoint.
 */
export function createSyntheticFiles(
  configJson: Record<string, unknown>,
  id: string,
  { numShards = 1 }: SyntheticOptions = {},
): CheckpointFiles & { readonly names: readonly string[] } {
  const tensors = [...expectedTensors(parseModelConfig(configJson)).values()];
  const shards = layOutShards(tensors, numShards);
  const texts = new Map([[configName, JSON.stringify(configJson)]]);
  if (numShards > 1) texts.set(shardIndexName, indexText(shards));
  const shardOf = (name: string): Shard => {
    const shard = shards.get(name);
    if (shard !== undefined) return shard;
    throw new EngineError("internal", `There is no synthetic file ${name}.`);
  };
  let patterns: ReturnType<typeof createPatterns> | undefined;
  async function readInto(name: string, startBytes: number, target: Uint8Array): Promise<void> {
    const { header, dataStart, spans } = shardOf(name);
    const endBytes = startBytes + target.byteLength;
    for (let at = startBytes; at < endBytes; ) {
      if (at < dataStart) {
        const part = header.subarray(at, Math.min(endBytes, dataStart));
        target.set(part, at - startBytes);
        at += part.byteLength;
        continue;
      }
      const span = spanAt(spans, at - dataStart);
      const end = Math.min(endBytes, dataStart + span.end);
      patterns ??= createPatterns(); // made when data is read, not where only headers are
      const part = target.subarray(at - startBytes, end - startBytes);
      fill(part, patterns(span.tensor), at - dataStart - span.start);
      at = end;
    }
  }
  return {
    id,
    names: [...texts.keys(), ...shards.keys()],
    readText: async (name) => texts.get(name),
    sizeBytes: async (name) => shardOf(name).sizeBytes,
    async read(name, startBytes, endBytes) {
      const out = new Uint8Array(endBytes - startBytes);
      await readInto(name, startBytes, out);
      return out;
    },
    readInto,
  };
}

interface Span {
  readonly tensor: ExpectedTensor;
  readonly start: number;
  readonly end: number;
}

interface Shard {
  readonly header: Uint8Array;
  readonly dataStart: number;
  readonly spans: readonly Span[];
  readonly sizeBytes: number;
}

const tensorBytes = ({ shape, dtype }: ExpectedTensor): number =>
  shape.reduce((product, size) => product * size, dtypeBytes[dtype]);

/** Tensors in order, in shards of about the same size. The published shards count from 0 to their number less one. */
function layOutShards(tensors: readonly ExpectedTensor[], numShards: number): Map<string, Shard> {
  const totalBytes = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const groups = Array.from({ length: numShards }, (): ExpectedTensor[] => []);
  let before = 0;
  for (const tensor of tensors) {
    groups[Math.min(numShards - 1, Math.floor((before / totalBytes) * numShards))]?.push(tensor);
    before += tensorBytes(tensor);
  }
  const digits = (value: number) => String(value).padStart(5, "0");
  const name = (i: number) =>
    numShards === 1 ? singleShardName : `model-${digits(i)}-of-${digits(numShards - 1)}.safetensors`;
  return new Map(groups.map((group, i) => [name(i), layOut(group)]));
}

function indexText(shards: ReadonlyMap<string, Shard>): string {
  const entries = [...shards].flatMap(([file, { spans }]) => spans.map(({ tensor }) => [tensor.name, file]));
  const sizes = [...shards.values()].map(({ spans }) => spans.at(-1)?.end ?? 0);
  const metadata = { total_size: sizes.reduce((sum, size) => sum + size, 0) };
  return JSON.stringify({ metadata, weight_map: Object.fromEntries(entries) });
}

function layOut(tensors: readonly ExpectedTensor[]): Shard {
  const spans: Span[] = [];
  const entries: Record<string, unknown> = {};
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + tensorBytes(tensor);
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
