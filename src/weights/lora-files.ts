import { EngineError } from "../errors.ts";
import {
  type AdapterConfig,
  adapterConfigName,
  adapterWeightsName,
  parseAdapterConfig,
} from "../format/adapter-config.ts";
import { type LoraPair, matchAdapter } from "../format/adapter-tensors.ts";
import { parseJsonText } from "../format/json-text.ts";
import { lengthPrefixBytes, parseAdapterHeader, safetensorsHeaderLength } from "../format/safetensors.ts";
import type { AdapterDType, CheckpointManifest, TensorEntryOf } from "../format/types.ts";
import { floatsOf } from "./float-bytes.ts";
import { type LoraFactors, mergeLora } from "./lora-merge.ts";
import { readManifest } from "./manifest.ts";
import type { ByteRange, CheckpointFiles } from "./types.ts";

/** Weights whose factors are kept as numbers: reads come in file order, so those of one layer are enough. */
const maxFactors = 4;

/**
 * The same checkpoint with a PEFT LoRA adapter merged into the attention weights (q, k, v and output projection) as they
 * are read: W' = W + scale · B·A, rounded to bf16. Nothing is held but the factors of a few weights.
 * @param adapter folder with adapter_config.json and adapter_model.safetensors
 * @throws checkpoint-invalid for an adapter that is wrong, of another model, or changes more than attention; what the
 * files throw
 */
export async function withLora(
  files: CheckpointFiles,
  adapter: CheckpointFiles,
  options: {
    readonly manifest?: CheckpointManifest | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<CheckpointFiles> {
  const { signal } = options;
  const manifest = options.manifest ?? (await readManifest(files, signal));
  const pairs = await readAdapter(adapter, manifest, signal);
  const factorsOf = createFactorCache(adapter);
  const pairsIn = new Map<string, LoraPair[]>();
  for (const pair of pairs) pairsIn.set(pair.weight.file, [...(pairsIn.get(pair.weight.file) ?? []), pair]);
  const touchedBy = (name: string, startBytes: number, endBytes: number): readonly LoraPair[] =>
    (pairsIn.get(name) ?? []).filter(
      ({ weight }) => weight.startBytes < endBytes && startBytes < weight.endBytes,
    );
  const read: CheckpointFiles["read"] = async (name, startBytes, endBytes, readSignal) => {
    const touched = touchedBy(name, startBytes, endBytes);
    if (touched.length === 0) return files.read(name, startBytes, endBytes, readSignal);
    const whole = wholeElements({ startBytes, endBytes }, touched);
    const bytes = await files.read(name, whole.startBytes, whole.endBytes, readSignal);
    for (const pair of touched) mergePart(bytes, whole, pair, await factorsOf(pair, readSignal));
    return bytes.subarray(startBytes - whole.startBytes, endBytes - whole.startBytes);
  };
  const { readInto } = files;
  return {
    ...files,
    id: `${files.id} + ${adapter.id}`,
    read,
    ...(readInto && {
      async readInto(name, startBytes, target, readSignal) {
        const endBytes = startBytes + target.byteLength;
        const isPlain = touchedBy(name, startBytes, endBytes).length === 0;
        if (isPlain) return readInto(name, startBytes, target, readSignal);
        // Not merged in place: reading memory that is mapped for the GPU may be slow.
        target.set(await read(name, startBytes, endBytes, readSignal));
      },
    }),
  };
}

/** The range, grown so that it cuts no bf16 number of these weights in two. */
function wholeElements({ startBytes, endBytes }: ByteRange, pairs: readonly LoraPair[]): ByteRange {
  const isOdd = (at: number) =>
    pairs.some(
      ({ weight: { startBytes: from, endBytes: to } }) => at > from && at < to && (at - from) % 2 === 1,
    );
  return {
    startBytes: isOdd(startBytes) ? startBytes - 1 : startBytes,
    endBytes: isOdd(endBytes) ? endBytes + 1 : endBytes,
  };
}

function mergePart(bytes: Uint8Array, range: ByteRange, { weight }: LoraPair, factors: LoraFactors): void {
  const from = Math.max(range.startBytes, weight.startBytes);
  const to = Math.min(range.endBytes, weight.endBytes);
  const part = bytes.subarray(from - range.startBytes, to - range.startBytes);
  mergeLora(part, (from - weight.startBytes) / 2, factors);
}

/** The checked config of an adapter. @throws checkpoint-invalid */
export async function readAdapterConfig(
  adapter: CheckpointFiles,
  signal: AbortSignal | undefined,
): Promise<AdapterConfig> {
  const text = await adapter.readText(adapterConfigName, signal);
  if (text === undefined) {
    throw new EngineError(
      "checkpoint-invalid",
      `${adapter.id} has no ${adapterConfigName}; expected the folder of a PEFT LoRA adapter (${adapterConfigName}, ${adapterWeightsName}).`,
      { details: { file: adapterConfigName, source: adapter.id } },
    );
  }
  return parseAdapterConfig(parseJsonText(adapterConfigName, text));
}

async function readAdapter(
  adapter: CheckpointFiles,
  manifest: CheckpointManifest,
  signal: AbortSignal | undefined,
): Promise<LoraPair[]> {
  const config = await readAdapterConfig(adapter, signal);
  const sizeBytes = await adapter.sizeBytes(adapterWeightsName, signal);
  const first = await adapter.read(adapterWeightsName, 0, Math.min(lengthPrefixBytes, sizeBytes), signal);
  const headerBytes = lengthPrefixBytes + safetensorsHeaderLength(first, adapterWeightsName, sizeBytes);
  const header = await adapter.read(adapterWeightsName, 0, headerBytes, signal);
  return matchAdapter(config, parseAdapterHeader(adapterWeightsName, header, sizeBytes), manifest);
}

/** Reads the factors of a weight when they are first needed, and keeps those of the last few. */
function createFactorCache(adapter: CheckpointFiles) {
  const cached = new Map<string, Promise<LoraFactors>>();
  return (pair: LoraPair, signal: AbortSignal | undefined): Promise<LoraFactors> => {
    const key = pair.weight.name;
    const factors = cached.get(key) ?? readFactors(adapter, pair, signal);
    cached.delete(key);
    cached.set(key, factors); // the most recent last
    factors.catch(() => {
      if (cached.get(key) === factors) cached.delete(key);
    });
    for (const oldest of cached.keys()) {
      if (cached.size <= maxFactors) break;
      cached.delete(oldest);
    }
    return factors;
  };
}

async function readFactors(
  adapter: CheckpointFiles,
  { weight, a, b, rank, scale }: LoraPair,
  signal: AbortSignal | undefined,
): Promise<LoraFactors> {
  const read = async ({ name, dtype, file, startBytes, endBytes }: TensorEntryOf<AdapterDType>) => {
    const values = floatsOf(dtype, await adapter.read(file, startBytes, endBytes, signal));
    if (values.every(Number.isFinite)) return values;
    throw new EngineError(
      "checkpoint-invalid",
      `The adapter's ${name} holds values that are not finite numbers: its training broke off, or the file is damaged.`,
      { details: { file, tensor: name } },
    );
  };
  return { a: await read(a), b: await read(b), rank, scale, inputs: weight.shape[1] ?? 0 };
}
