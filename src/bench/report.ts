import type { EncodeTimes } from "../gpu/time-steps.ts";
import type { EngineInfo } from "../runtime/types.ts";
import type { Ceiling } from "./ceiling.ts";

/** Raised where a field changes its meaning or goes; docs/bench.md describes every field. */
export const reportSchema = 1;

/** What is timed. */
export interface BenchOptions {
  /** Prompt lengths whose prefill is timed. */
  readonly promptTokens: readonly number[];
  /** Tokens decoded from an empty context. */
  readonly decodeTokens: number;
  /** Depth of the context at which decoding is timed as well. Default: not at all. */
  readonly depth?: number;
  /** Time decoding kept to a JSON schema as well, which needs a tokenizer and a grammar worker. Default no. */
  readonly grammar?: boolean;
  /** Timed runs; the median is reported, after one run that is not. Default 5. */
  readonly runs?: number;
  /** Time every kernel of a decode step (at `depth` or 64) and of a prefill pass as well. Default no. */
  readonly profile?: boolean;
  /** Time every kernel alone as well. Unlike `profile` it needs no exact timestamps, which browsers do not give. Default no. */
  readonly kernels?: boolean;
  readonly onProgress?: (sentence: string) => void;
  readonly signal?: AbortSignal;
}

export interface Rate {
  readonly tokens: number;
  /** Median over the runs. */
  readonly tokensPerSecond: number;
  readonly all: readonly number[];
}

/** A decode rate with what a token must read, and how near to the ceiling that comes. */
export interface DecodeRate extends Rate {
  /** Tokens of context before the first timed one. */
  readonly depth: number;
  /** Weights and KV cache that a token must read, at the middle of the timed tokens. */
  readonly bytesPerToken: number;
  /** bytesPerToken * tokensPerSecond. */
  readonly bytesPerSecond: number;
  /** bytesPerSecond over the ceiling's. */
  readonly shareOfCeiling: number;
  /** Median GPU time of a token, in ms, without what lies between submits: tells sizes apart that a rate does not. Only with timestamps. */
  readonly gpuMs?: number;
}

/** A decode rate under a grammar, where each token waits for the one before and for the mask after it. */
export interface GrammarRate extends Rate {
  /** tokensPerSecond over that of `decode`. */
  readonly shareOfFree: number;
  /** Median time from asking the grammar worker to its mask; most of a step runs on the GPU meanwhile. */
  readonly maskMs: number;
}

/** Bytes on the GPU by what they are for. */
export interface MemoryUse {
  readonly weightBytes: number;
  readonly kvBytes: number;
  /** Everything else: activations, tables, readback. */
  readonly otherBytes: number;
}

/** Time of one kernel over a whole pass, with what it must read and compute there. */
export interface KernelTime {
  readonly kernel: string;
  /** Dispatches in the pass. */
  readonly dispatches: number;
  readonly milliseconds: number;
  /** Weights and KV cache that it must read. */
  readonly bytes: number;
  readonly bytesPerSecond: number;
  /** Of the read bandwidth. */
  readonly shareOfCeiling: number;
  readonly operationsPerSecond: number;
  /** Of the f32 arithmetic that the adapter reaches. */
  readonly shareOfArithmetic: number;
}

/** GPU time by kernel of one decode step or one prefill pass. */
export interface PassProfile {
  readonly pass: "decode" | "prefill";
  readonly numTokens: number;
  /** Tokens of context before the pass. */
  readonly position: number;
  readonly milliseconds: number;
  readonly kernels: readonly KernelTime[];
}

/** What a benchmark found, as it is printed and copied. */
export interface BenchReport {
  readonly schema: typeof reportSchema;
  readonly info: EngineInfo;
  readonly ceiling: Ceiling;
  readonly memory: MemoryUse;
  readonly loadSeconds: number;
  /** Distinct compute pipelines of the plan. */
  readonly pipelines: number;
  /** Kernels that were compared with their float64 reference here, before anything was timed. */
  readonly kernelsChecked: readonly string[];
  /** From an empty context (a prompt of one token). */
  readonly decode: DecodeRate;
  readonly decodeAtDepth?: DecodeRate;
  /** From an empty context too; only where asked for. */
  readonly decodeByGrammar?: GrammarRate;
  readonly dispatchesPerToken: number;
  /** CPU time a decoded token. */
  readonly cpu: EncodeTimes;
  readonly prefill: readonly Rate[];
  /** Median time from the call to the first token of a 32-token prompt, in ms. */
  readonly timeToFirstTokenMs: number;
  /** Only where asked for, and where the adapter has timestamps. */
  readonly profiles?: readonly PassProfile[];
  /** Every kernel alone; only where asked for. */
  readonly kernels?: readonly KernelResult[];
}

/** A kernel timed alone. */
export interface KernelResult extends KernelTime {
  readonly pass: PassProfile["pass"];
  readonly numTokens: number;
  readonly position: number;
  readonly microsecondsPerDispatch: number;
}

/** What `--kernel` and `--kernels` print. */
export interface KernelReport {
  readonly schema: typeof reportSchema;
  readonly info: EngineInfo;
  readonly ceiling: Ceiling;
  readonly kernels: readonly KernelResult[];
}
