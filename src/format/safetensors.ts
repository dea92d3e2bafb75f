import { invalid, show } from "./invalid.ts";
import { scanJson } from "./json-text.ts";
import { type AdapterDType, dtypeBytes, type TensorEntry, type TensorEntryOf } from "./types.ts";

/** Bytes in front of the header: its length as a little-endian u64. */
export const lengthPrefixBytes = 8;

/**
 * Longest header accepted. The format allows 100 MB; the largest gpt-oss header is under 1 MB, so the lower
 * cap that the Hugging Face hub also uses costs nothing and bounds what a hostile file can make us parse.
 */
export const maxHeaderBytes = 25_000_000;

/**
 * Length in bytes of the JSON header, from the first 8 bytes of a safetensors file.
 * @throws checkpoint-invalid
 */
export function safetensorsHeaderLength(first8: Uint8Array, file: string, fileSizeBytes: number): number {
  if (first8.byteLength < lengthPrefixBytes || fileSizeBytes < lengthPrefixBytes) {
    throw invalid(`${file} has ${fileSizeBytes} bytes, too few for a safetensors file.`, {
      file,
      fileSizeBytes,
    });
  }
  // BigInt, because a hostile u64 would round as a number.
  const length = new DataView(first8.buffer, first8.byteOffset, lengthPrefixBytes).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw invalid(
      `${file}: its safetensors header claims ${length} bytes, but at most ${maxHeaderBytes} are accepted. Is this a safetensors file?`,
      { file, headerBytes: String(length) },
    );
  }
  const lengthBytes = Number(length);
  if (lengthBytes < 2 || lengthPrefixBytes + lengthBytes > fileSizeBytes) {
    throw invalid(
      `${file}: its safetensors header claims ${lengthBytes} bytes, but the file has ${fileSizeBytes} in all.`,
      { file, headerBytes: lengthBytes, fileSizeBytes },
    );
  }
  return lengthBytes;
}

/** Element types that a file may use. */
interface DTypes<D extends string> {
  readonly bytes: Readonly<Record<D, number>>;
  /** For messages: whose types these are. */
  readonly user: string;
}

const checkpointDTypes = { bytes: dtypeBytes, user: "a gpt-oss checkpoint uses BF16 and U8 only" };
const adapterDTypes: DTypes<AdapterDType> = {
  bytes: { F32: 4, F16: 2, BF16: 2 },
  user: "adapters are read in F32, F16 and BF16",
};

/**
 * Every tensor of a checkpoint's safetensors file, in the order of its bytes, with absolute offsets. `bytes` are the
 * first bytes of the file, at least the 8 of the length and the header they announce.
 * @throws checkpoint-invalid naming the file and the tensor
 */
export function parseSafetensorsHeader(
  file: string,
  bytes: Uint8Array,
  fileSizeBytes: number,
): TensorEntry[] {
  return parseHeader({ file, bytes, fileSizeBytes }, checkpointDTypes);
}

/** The same for the file of a LoRA adapter. @throws checkpoint-invalid */
export function parseAdapterHeader(
  file: string,
  bytes: Uint8Array,
  fileSizeBytes: number,
): TensorEntryOf<AdapterDType>[] {
  return parseHeader({ file, bytes, fileSizeBytes }, adapterDTypes);
}

interface FileStart {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly fileSizeBytes: number;
}

function parseHeader<D extends string>(
  { file, bytes, fileSizeBytes }: FileStart,
  dtypes: DTypes<D>,
): TensorEntryOf<D>[] {
  const lengthBytes = safetensorsHeaderLength(bytes, file, fileSizeBytes);
  const dataStartBytes = lengthPrefixBytes + lengthBytes;
  if (bytes.byteLength < dataStartBytes) {
    throw invalid(`${file}: the header needs ${dataStartBytes} bytes, got ${bytes.byteLength}.`, { file });
  }
  const header = parseHeaderText(file, bytes.subarray(lengthPrefixBytes, dataStartBytes));
  const entries: TensorEntryOf<D>[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") checkMetadata(file, value);
    else entries.push(parseEntry({ file, name, value, dataStartBytes }, dtypes));
  }
  entries.sort((a, b) => a.startBytes - b.startBytes || a.endBytes - b.endBytes);
  checkContiguous(file, entries, dataStartBytes, fileSizeBytes);
  return entries;
}

function parseHeaderText(file: string, bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw invalid(`${file}: a safetensors header must begin with "{".`, { file });
  let end = bytes.byteLength;
  while (end > 0 && bytes[end - 1] === 0x20) end -= 1;
  if (bytes[end - 1] !== 0x7d) {
    throw invalid(`${file}: a safetensors header must end with "}" and may be padded with spaces only.`, {
      file,
    });
  }
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end));
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`${file}: the safetensors header is not UTF-8 JSON: ${reason}.`, { file }, cause);
  }
  const { duplicateKey, oddNumber } = scanJson(text);
  if (duplicateKey !== undefined) {
    throw invalid(`${file}: the safetensors header names "${duplicateKey}" twice.`, {
      file,
      key: duplicateKey,
    });
  }
  if (oddNumber !== undefined) {
    throw invalid(
      `${file}: the safetensors header has the number ${oddNumber}; only whole numbers are allowed.`,
      {
        file,
      },
    );
  }
  if (!isObject(value)) throw invalid(`${file}: the safetensors header is not a JSON object.`, { file });
  return value;
}

function checkMetadata(file: string, value: unknown): void {
  if (!isObject(value) || !Object.values(value).every((entry) => typeof entry === "string")) {
    throw invalid(`${file}: __metadata__ must map strings to strings, but is ${show(value)}.`, { file });
  }
}

interface RawEntry {
  readonly file: string;
  readonly name: string;
  readonly value: unknown;
  readonly dataStartBytes: number;
}

function parseEntry<D extends string>(
  { file, name, value, dataStartBytes }: RawEntry,
  dtypes: DTypes<D>,
): TensorEntryOf<D> {
  const fail = (what: string) => invalid(`${file}: tensor ${name} ${what}.`, { file, tensor: name });
  if (!isObject(value)) throw fail(`is described by ${show(value)}, not by an object`);
  for (const key of Object.keys(value)) {
    if (key !== "dtype" && key !== "shape" && key !== "data_offsets")
      throw fail(`has the unknown field "${key}"`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDType(dtype, dtypes)) throw fail(`has dtype ${show(dtype)}; ${dtypes.user}`);
  if (!isSizes(shape)) throw fail(`has shape ${show(shape)}; expected whole numbers from 0`);
  const [start, end] = isSizes(offsets) && offsets.length === 2 ? offsets : [];
  if (start === undefined || end === undefined || start > end) {
    throw fail(`has data_offsets ${show(offsets)}; expected [start, end] with start <= end`);
  }
  const sizeBytes = tensorBytes(dtypes.bytes[dtype], shape);
  if (sizeBytes === undefined) throw fail(`has shape ${show(shape)}, which overflows`);
  if (sizeBytes !== end - start) {
    throw fail(
      `of ${dtype} ${show(shape)} takes ${sizeBytes} bytes, but its data_offsets span ${end - start}`,
    );
  }
  return { name, dtype, shape, file, startBytes: dataStartBytes + start, endBytes: dataStartBytes + end };
}

function checkContiguous(
  file: string,
  entries: readonly TensorEntryOf<string>[],
  dataStartBytes: number,
  fileSizeBytes: number,
): void {
  let at = dataStartBytes;
  for (const entry of entries) {
    if (entry.startBytes !== at) {
      const problem = entry.startBytes > at ? "leaves a hole before" : "overlaps";
      throw invalid(
        `${file}: the layout ${problem} tensor ${entry.name}: it starts at byte ${entry.startBytes}, expected ${at}.`,
        { file, tensor: entry.name, startBytes: entry.startBytes, expectedBytes: at },
      );
    }
    at = entry.endBytes;
  }
  if (at !== fileSizeBytes) {
    throw invalid(
      `${file}: its tensors end at byte ${at}, but the file has ${fileSizeBytes} bytes; it was cut short or carries other data.`,
      { file, endBytes: at, fileSizeBytes },
    );
  }
}

/** Bytes of a tensor, or undefined where a product is no longer an exact number. */
function tensorBytes(elementBytes: number, shape: readonly number[]): number | undefined {
  let sizeBytes = elementBytes;
  for (const dim of shape) {
    sizeBytes *= dim;
    if (!Number.isSafeInteger(sizeBytes)) return undefined;
  }
  return sizeBytes;
}

function isDType<D extends string>(value: unknown, { bytes }: DTypes<D>): value is D {
  return typeof value === "string" && Object.hasOwn(bytes, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
