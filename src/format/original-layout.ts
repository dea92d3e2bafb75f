import { invalid } from "./invalid.ts";
import { hfNamesOfOriginal, isOriginalName } from "./original-names.ts";
import { dtypeBytes, type ModelConfig, type TensorEntry } from "./types.ts";

/**
 * The tensors of a checkpoint by the names of Hugging Face's layout. Those of OpenAI's own layout (`original/`) are
 * renamed, and its fused qkv becomes three tensors that lie one after another in the same bytes; other checkpoints are
 * returned as they are. The values are the same in both layouts: no row moves.
 * @throws checkpoint-invalid for a mixture of both, for an unknown name, and for a fused tensor of the wrong shape
 */
export function inHfLayout(config: ModelConfig, entries: readonly TensorEntry[]): readonly TensorEntry[] {
  const original = entries.find(({ name }) => isOriginalName(name));
  if (original === undefined) return entries;
  const other = entries.find(({ name }) => /^(model|lm_head)\./.test(name));
  if (other !== undefined) {
    throw invalid(
      `The checkpoint mixes two layouts: ${original.name} (in ${original.file}) is OpenAI's own, ${other.name} (in ${other.file}) is Hugging Face's. Load one of them: the folder above original/, or original/ itself.`,
      { tensors: [original.name, other.name] },
    );
  }
  return entries.flatMap((entry) => renamed(config, entry));
}

function renamed(config: ModelConfig, entry: TensorEntry): TensorEntry[] {
  const hf = hfNamesOfOriginal(entry.name);
  if (hf === undefined) throw unknownName(entry);
  if (hf.kind === "one") return [{ ...entry, name: hf.name }];
  const queryRows = config.numHeads * config.headDim;
  const kvRows = config.numKvHeads * config.headDim;
  const [rows, ...rest] = entry.shape;
  const expectedRows = queryRows + 2 * kvRows;
  if (rows !== expectedRows) {
    throw invalid(
      `${entry.name} in ${entry.file} has ${rows ?? "no"} rows, expected ${expectedRows}: ${queryRows} of q, then ${kvRows} of k and of v, as config.json says.`,
      { tensor: entry.name, rows: rows ?? 0, expectedRows },
    );
  }
  const rowBytes = rest.reduce((product, size) => product * size, dtypeBytes[entry.dtype]);
  let { startBytes } = entry;
  return [queryRows, kvRows, kvRows].map((numRows, i) => {
    const part = { ...entry, name: hf.names[i] ?? "", shape: [numRows, ...rest], startBytes };
    startBytes += numRows * rowBytes;
    return { ...part, endBytes: startBytes };
  });
}

function unknownName({ name, file }: TensorEntry) {
  const hint = /\.mlp[12]_weight$/.test(name)
    ? "; experts in OpenAI's own layout must be MXFP4 (…_weight.blocks and .scales)"
    : "; no gpt-oss model has it";
  return invalid(`Tensor ${name} in ${file} is unexpected in OpenAI's own layout${hint}.`, { tensor: name });
}
