import { EngineError, isEngineError } from "../errors.ts";
import type { CheckpointManifest } from "../format/types.ts";
import { type Gpu, openGpu } from "../gpu/gpu.ts";
import type { GrammarPort } from "../grammar/protocol.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { chatEvents } from "./chat.ts";
import { checkOptions } from "./check-options.ts";
import type { RememberedSettings } from "./choose-tuning.ts";
import { checkContext, checkTokens, startGeneration } from "./generate.ts";
import { type LoadedModel, loadModel } from "./loaded-model.ts";
import { decodeLogits, prefillLogits } from "./logits.ts";
import { chatRules, engineLoadRules, generateRules } from "./option-tables.ts";
import { checkedPlanOptions } from "./plan-options.ts";
import type {
  ChatEvent,
  ChatRequest,
  Engine,
  EngineInfo,
  GenerateOptions,
  Generation,
  LoadOptions,
} from "./types.ts";

/** What an engine takes from its surroundings beside the GPU. */
export interface EngineServices {
  /** Where the kernels' measured sizes are remembered. Default: nowhere. */
  readonly settings?: RememberedSettings;
  /** Opens a worker that matches answers to JSON schemas. Without it such answers are refused. */
  readonly openGrammar?: () => GrammarPort;
}

/**
 * Opens a GPU device and returns an engine without a model. `gpu` is `navigator.gpu`, or Dawn's in Node.
 * @throws webgpu-unavailable | adapter-unavailable
 */
export async function createEngine(gpu: GPU | undefined, services: EngineServices = {}): Promise<Engine> {
  const state = new EngineState(gpu, await openGpu(gpu), services);
  return {
    get info() {
      return state.model?.info;
    },
    checkFits: (manifest, options = {}) => state.checkFits(manifest, options),
    load: (files, options = {}) => state.load(files, options),
    generate: (prompt, options) => state.generate(prompt, options),
    chat: (request) => state.chat(request),
    logits: (tokens, path, signal) => state.logits(tokens, path, signal),
    unload: () => state.unload(),
    dispose: () => state.dispose(),
  };
}

class EngineState {
  model: LoadedModel | undefined;
  private readonly provider: GPU | undefined;
  private readonly services: EngineServices;
  private gpu: Gpu;
  private busyWith: string | undefined;
  private disposed = false;
  private lost = false;
  /** Errors that the GPU reported outside any scope: a kernel or binding of ours is wrong. */
  private fault: EngineError | undefined;

  constructor(provider: GPU | undefined, gpu: Gpu, services: EngineServices) {
    this.provider = provider;
    this.services = services;
    this.gpu = gpu;
    this.watch(gpu);
  }

  checkFits(manifest: CheckpointManifest, options: LoadOptions): void {
    if (this.disposed) throw disposedError("check a model");
    checkOptions("check a model", options, engineLoadRules);
    checkedPlanOptions(this.gpu, manifest, options);
  }

  async load(files: CheckpointFiles, options: LoadOptions): Promise<EngineInfo> {
    if (!this.disposed) checkOptions("load a model", options, engineLoadRules);
    const release = this.begin("load a model");
    try {
      this.dropModel();
      if (this.lost || this.fault !== undefined) await this.reopen();
      this.model = await loadModel(this.gpu, files, { ...options, ...this.services });
      this.checkUsable("load a model");
      return this.model.info;
    } catch (error) {
      this.dropModel();
      throw this.explained("load a model", error);
    } finally {
      release();
    }
  }

  generate(prompt: readonly number[], options: GenerateOptions): Generation {
    this.checkUsable("generate");
    const model = this.loaded();
    checkOptions("generate", options, generateRules, ["maxNewTokens"]);
    const generation = startGeneration(model, prompt, options);
    const result = generation.result.catch((error: unknown) => {
      throw this.explained("generate", error);
    });
    result.catch(() => {}); // whoever iterates sees the same failure
    return {
      result,
      [Symbol.asyncIterator]: () =>
        this.exclusive("generate", model, generation, generation.fail)[Symbol.asyncIterator](),
    };
  }

  chat(request: ChatRequest): AsyncIterable<ChatEvent> {
    this.checkUsable("chat");
    const model = this.loaded();
    checkOptions("chat", request, chatRules, ["messages"]);
    return this.exclusive("chat", model, chatEvents(model, request));
  }

  async logits(
    tokens: readonly number[],
    path: "prefill" | "decode",
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    const release = this.begin("compute logits");
    try {
      this.checkUsable("compute logits");
      const model = this.loaded();
      checkTokens(tokens, model.config.vocabSize);
      checkContext(model, tokens.length, 0);
      await model.scheduler.idle();
      const compute = path === "prefill" ? prefillLogits : decodeLogits;
      const logits = await compute(this.gpu, model.plan, model.config.vocabSize, tokens, signal);
      this.checkUsable("compute logits");
      return logits;
    } catch (error) {
      throw this.explained("compute logits", error);
    } finally {
      release();
    }
  }

  unload(): void {
    if (this.disposed) throw disposedError("unload");
    if (this.busyWith !== undefined)
      throw new EngineError(
        "busy",
        `Cannot unload while the engine is busy (${this.busyWith}): abort that first.`,
      );
    this.dropModel();
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.dropModel();
    this.gpu.destroy();
  }

  /**
   * Holds the engine while the values are consumed, and looks for faults of the GPU after each. `onFailure` is told what
   * the consumer is thrown.
   */
  private async *exclusive<T>(
    what: string,
    model: LoadedModel,
    values: AsyncIterable<T>,
    onFailure: (error: unknown) => void = () => {},
  ): AsyncGenerator<T, void> {
    let release = () => {};
    const check = () => {
      const problem = this.problem(what);
      if (problem === undefined) return;
      onFailure(problem); // before the values end, which would settle their result
      throw problem;
    };
    try {
      release = this.begin(what);
      check();
      if (model !== this.model)
        throw new EngineError(
          "not-loaded",
          `Cannot ${what}: the model was unloaded since the request was made.`,
        );
      for await (const value of values) {
        check();
        yield value;
      }
      check();
    } catch (error) {
      const explained = this.explained(what, error);
      onFailure(explained);
      throw explained;
    } finally {
      release();
    }
  }

  private begin(what: string): () => void {
    if (this.disposed) throw disposedError(what);
    if (this.busyWith !== undefined)
      throw new EngineError(
        "busy",
        `Cannot ${what}: the engine is busy (${this.busyWith}). It serves one request at a time.`,
      );
    this.busyWith = what;
    return () => {
      this.busyWith = undefined;
    };
  }

  private checkUsable(what: string): void {
    const problem = this.problem(what);
    if (problem !== undefined) throw problem;
  }

  /** Why nothing can run. */
  private problem(what: string): EngineError | undefined {
    if (this.disposed) return disposedError(what);
    if (this.fault !== undefined) return this.fault;
    return this.lost ? this.lostError(undefined) : undefined;
  }

  /** The failure behind an error: work that broke off because the engine was disposed or the device went away says so. */
  private explained(what: string, error: unknown): unknown {
    if (this.disposed) return disposedError(what);
    this.lost ||= isEngineError(error, "device-lost"); // the device's own notice may come later
    return this.lost ? this.lostError(error) : error;
  }

  private loaded(): LoadedModel {
    if (this.model === undefined)
      throw new EngineError("not-loaded", "No model is loaded. Call load() first.");
    return this.model;
  }

  private lostError(cause: unknown): EngineError {
    return new EngineError(
      "device-lost",
      "The GPU device was lost (driver restart, crash or sleep). Load the model again.",
      { cause },
    );
  }

  private dropModel(): void {
    this.model?.destroy();
    this.model = undefined;
  }

  private async reopen(): Promise<void> {
    this.gpu.destroy();
    this.gpu = await openGpu(this.provider);
    this.lost = false;
    this.fault = undefined;
    this.watch(this.gpu);
  }

  private watch(gpu: Gpu): void {
    void gpu.lost.then(() => {
      if (this.gpu === gpu) this.lost = true;
    });
    gpu.device.addEventListener("uncapturederror", (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      if (this.gpu === gpu)
        this.fault ??= new EngineError("internal", `The GPU reported an error: ${error.message}`);
    });
  }
}

const disposedError = (what: string) =>
  new EngineError("disposed", `Cannot ${what}: the engine was disposed.`);
