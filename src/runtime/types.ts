import type { CheckpointManifest } from "../format/types.ts";
import type { KernelTuning } from "../kernels/tuning.ts";
import type { TuningOverrides } from "../kernels/tuning-candidates.ts";
import type { LoadStats } from "../model/upload.ts";
import type { RecoveryEvent } from "../text/chat-stream.ts";
import type { ChatAbilities, ChatMessage } from "../text/chat-types.ts";
import type { ReasoningEffort } from "../text/types.ts";
import type { ByteProgress, CheckpointFiles } from "../weights/types.ts";

/** What the engine runs on and how: shown by the page, the CLI and the bench. */
export interface EngineInfo {
  readonly adapter: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
    readonly isSoftware: boolean;
  };
  /** Kernel variant chosen from the adapter and by a test at load, by name. */
  readonly variant: "subgroups" | "workgroup";
  /** How MXFP4 is expanded, chosen by a test at load: by f32 bits, or through f16, which is faster. */
  readonly mxfp4: "bits" | "half";
  /** The kernels' sizes, which decide speed alone, and where they come from. */
  readonly tuning: {
    readonly source: "table" | "measured" | "remembered" | "forced";
    /** What measuring took; absent where this load measured nothing. */
    readonly seconds?: number;
    readonly sizes: KernelTuning;
  };
  /** Whether prompts run on subgroup matrices (experimental: only where the adapter offers them with shader-f16). */
  readonly matrices: boolean;
  readonly model: {
    readonly id: string;
    readonly numLayers: number;
    readonly numExperts: number;
    readonly hiddenSize: number;
    readonly vocabSize: number;
    readonly expertFormat: "mxfp4" | "bf16";
    readonly weightBytes: number;
  };
  readonly contextLength: number;
  readonly kvFormat: "f32" | "f16";
  /** How attention's projections and lm_head are stored. */
  readonly dense: "bf16" | "int8";
  /** What decoding multiplies with int8 and MXFP4 weights: f32 also where int8 was asked for and cannot be, or changes nothing. */
  readonly activations: "f32" | "int8";
  /** Bytes of all GPU buffers, weights included. */
  readonly gpuBytes: number;
  /** How long the weights took from the checkpoint to the GPU, and what they waited for. */
  readonly load: LoadStats;
}

export interface LoadOptions {
  /** Most tokens of prompt plus answer. Default: the smaller of 8192 and the model's maximum. */
  readonly contextLength?: number;
  /** KV cache element type. Default f32. */
  readonly kvFormat?: "f32" | "f16";
  /**
   * How attention's projections and lm_head are stored on the GPU: bf16 as published, or int8 with a scale for each 32
   * weights, quantised while loading: about half the bytes, at a small loss of precision. Default bf16.
   */
  readonly dense?: "bf16" | "int8";
  /**
   * What decoding multiplies with int8 and MXFP4 weights: f32, or inputs quantised to int8 with a scale for each few of
   * them, by the GPU's integer dot products, at a further small loss of precision. Prompts, bf16 weights, and adapters
   * without WGSL's packed_4x8_integer_dot_product keep f32. Default f32.
   */
  readonly activations?: "f32" | "int8";
  /** Force a kernel variant. Default: chosen from the adapter. */
  readonly variant?: "subgroups" | "workgroup";
  /**
   * Where the kernels' sizes come from. `table`: the built-in ones. `measure`: timed on this adapter, for at most 2 s, and
   * remembered. `auto`: the table where this kind of adapter was measured for it (and on a CPU), otherwise `measure`.
   * Default auto.
   */
  readonly tune?: "auto" | "table" | "measure";
  /**
   * Force sizes, such as `{ gateUpVec: { rows: 8 } }`; the others are the built-in ones, and nothing is measured. Sizes that a
   * kernel cannot run with for this model, or on this adapter, are `request-invalid` before anything is allocated.
   */
  readonly tuning?: TuningOverrides;
  /** False keeps prompts off subgroup matrices where there are some. Default: used where a test at load finds that they compile, fit and are exact. */
  readonly matrices?: boolean;
  readonly onProgress?: (progress: ByteProgress) => void;
  readonly signal?: AbortSignal;
}

export interface GenerateOptions {
  readonly maxNewTokens: number;
  /** 0 is greedy; otherwise softmax(logits / temperature) is sampled exactly (Gumbel-max). Default 1. */
  readonly temperature?: number;
  /** Unsigned 32-bit seed of the sampler. Default: random. */
  readonly seed?: number;
  /** Ids that end the answer (they are yielded last). Default: the checkpoint's. */
  readonly stopTokens?: readonly number[];
  readonly signal?: AbortSignal;
}

export type FinishReason = "stop" | "length" | "aborted";

/** Times in ms on the CPU clock, rates in tokens per second. */
export interface GenerateStats {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly timeToFirstTokenMs: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

export interface ChatRequest extends ChatAbilities {
  readonly messages: readonly ChatMessage[];
  /** Default medium. */
  readonly reasoningEffort?: ReasoningEffort;
  /** YYYY-MM-DD written in the system message. Default: today's date, local time. */
  readonly currentDate?: string;
  /** Default 1 (what OpenAI recommends); 0 is greedy. */
  readonly temperature?: number;
  readonly seed?: number;
  /** Default: what is left of the context. */
  readonly maxNewTokens?: number;
  readonly signal?: AbortSignal;
}

/**
 * A streamed answer. `reasoning` is the analysis channel, `content` is final (and commentary without recipient).
 * No generated text is lost: what fits nowhere is the text of a `recovery`, left out where reasoning is excluded.
 */
export type ChatEvent =
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "content"; readonly text: string }
  | { readonly type: "tool-call"; readonly name: string; readonly arguments: string }
  | RecoveryEvent
  | {
      readonly type: "done";
      readonly finishReason: FinishReason | "tool-call";
      readonly stats: GenerateStats;
    };

/** Tokens of one generation as they are made, and its outcome. */
export interface Generation extends AsyncIterable<number> {
  /** Settles when the iteration has ended. */
  readonly result: Promise<{ readonly finishReason: FinishReason; readonly stats: GenerateStats }>;
}

/**
 * A model on a GPU. One request at a time: a second one while the first runs is refused with `busy`.
 * Every method throws EngineError; after `dispose()` all but `dispose()` throw `disposed`.
 */
export interface Engine {
  /** What is loaded; undefined where nothing is. */
  readonly info: EngineInfo | undefined;
  /**
   * Checks, before a checkpoint is downloaded, that this GPU takes it with these options. Allocates nothing.
   * @throws limit-exceeded | request-invalid
   */
  checkFits(manifest: CheckpointManifest, options?: LoadOptions): void;
  /** Streams a checkpoint to the GPU, replacing what was loaded. Aborting leaves nothing loaded. */
  load(files: CheckpointFiles, options?: LoadOptions): Promise<EngineInfo>;
  /** Continues a prompt of token ids. @throws context-overflow | request-invalid | not-loaded | busy */
  generate(prompt: readonly number[], options: GenerateOptions): Generation;
  /** Answers a conversation. Ends with one `done` event; an abort ends it with finish reason `aborted`. */
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  /** Logits [T, V] of every position, through the prefill kernels or through the decode kernels token by token. */
  logits(tokens: readonly number[], path: "prefill" | "decode", signal?: AbortSignal): Promise<Float32Array>;
  unload(): void;
  dispose(): void;
}
