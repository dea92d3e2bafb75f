import type { Engine } from "../runtime/types.ts";
import type { ModelSource } from "../weights/source-types.ts";
import type { OpenedModel, OpenModelOptions } from "./open-model.ts";
import type { CapabilityServices } from "./report-capabilities.ts";
import type { StoredModels } from "./stored-models.ts";

/** What the host needs from its surroundings: passed in, so that tests can stand in for a browser. */
export interface HostServices extends CapabilityServices {
  /** Opens the GPU. Called at the first load; a failed call is repeated at the next load. */
  createEngine(): Promise<Engine>;
  /** Fetches what is missing of a checkpoint and opens it from storage. */
  openModel(source: ModelSource, options: OpenModelOptions): Promise<OpenedModel>;
  /** The models in storage. */
  readonly stored: StoredModels;
  /** Takes a Web Lock for the life of the worker; resolves to its name, or undefined where there are no locks. */
  holdLifeLock(): Promise<string | undefined>;
}
