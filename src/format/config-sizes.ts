import { wrongField } from "./config-fields.ts";
import { invalid } from "./invalid.ts";
import type { ModelConfig } from "./types.ts";

/** Values that an MXFP4 block holds along the contraction dimension. The kernels read bf16 experts in the same blocks. */
export const mxfp4BlockValues = 32;

/** The router and the grouping by expert hold a number per expert in one workgroup of 256 invocations. */
export const maxExperts = 256;

/** The attention kernels were not tested above it. */
export const maxHeadDim = 128;

/** The attention kernels read heads 8 values at a time. */
const headDimStep = 8;

/**
 * Checks the sizes of a config, read from `file`, against one another and against what the kernels take, so that a model that cannot run
 * is refused before anything is downloaded.
 * @throws checkpoint-invalid naming the field, what is expected and what is there
 */
export function checkSizes(config: ModelConfig, file: string): void {
  for (const { field, value, expected, isRight } of rules(config)) {
    if (!isRight) throw wrongField(file, field, expected, value);
  }
  const outside = config.eosTokenIds.find((id) => id >= config.vocabSize);
  if (outside === undefined) return;
  throw invalid(`${file}: eos_token_id ${outside} is outside vocab_size ${config.vocabSize}.`, {
    file,
    field: "eos_token_id",
  });
}

interface Rule {
  readonly field: string;
  readonly value: number;
  readonly expected: string;
  readonly isRight: boolean;
}

function rules(config: ModelConfig): Rule[] {
  const { numHeads, numKvHeads, headDim, numExperts, expertsPerToken } = config;
  return [
    multiple("hidden_size", config.hiddenSize, mxfp4BlockValues),
    multiple("intermediate_size", config.intermediateSize, mxfp4BlockValues),
    multiple("head_dim", headDim, headDimStep),
    most("head_dim", headDim, maxHeadDim),
    {
      field: "num_attention_heads",
      value: numHeads,
      expected: `a multiple of num_key_value_heads (${numKvHeads})`,
      isRight: numHeads % numKvHeads === 0,
    },
    most("num_local_experts", numExperts, maxExperts),
    {
      field: "num_experts_per_tok",
      value: expertsPerToken,
      expected: `at most num_local_experts (${numExperts})`,
      isRight: expertsPerToken <= numExperts,
    },
  ];
}

const multiple = (field: string, value: number, step: number): Rule => ({
  field,
  value,
  expected: `a multiple of ${step}, which the kernels read at a time`,
  isRight: value % step === 0,
});

const most = (field: string, value: number, limit: number): Rule => ({
  field,
  value,
  expected: `at most ${limit}, the most that the kernels hold`,
  isRight: value <= limit,
});
