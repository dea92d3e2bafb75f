import { isEngineError } from "../errors.ts";
import { parseModelConfig } from "../format/config.ts";
import { manifestOfConfig } from "../format/manifest-of-config.ts";
import { publishedConfig } from "../format/published-shapes.ts";
import type { CheckpointManifest } from "../format/types.ts";
import type { AdapterDescription } from "../gpu/adapter-description.ts";
import {
  type CapabilityOptions,
  type CapabilityReport,
  capabilityReport,
} from "../runtime/capability-report.ts";
import type { ModelSource } from "../weights/source-types.ts";
import type { CapabilitySubject } from "./protocol.ts";

/** What a report is made from. */
export interface CapabilityServices {
  /** Config and headers of a checkpoint, from storage where it is stored; no weights are fetched. */
  readManifest(source: ModelSource): Promise<CheckpointManifest>;
  /** What `createEngine` would open. @throws webgpu-unavailable | adapter-unavailable */
  describeAdapter(): Promise<AdapterDescription>;
  /** Bytes that the browser estimates its storage to take yet; undefined where it does not say. */
  storageBytes(): Promise<number | undefined>;
}

/** Whether a model can run here. A missing adapter is a finding of the report, not a failure of it. */
export async function reportCapabilities(
  services: CapabilityServices,
  subject: CapabilitySubject,
  options: CapabilityOptions,
): Promise<CapabilityReport> {
  const [adapter, manifest, storageBytes] = await Promise.all([
    services.describeAdapter().catch((error: unknown) => {
      if (isEngineError(error)) return error;
      throw error;
    }),
    "published" in subject
      ? manifestOfConfig(parseModelConfig(publishedConfig(subject.published)))
      : services.readManifest(subject),
    services.storageBytes(),
  ]);
  return capabilityReport(adapter, manifest, {
    ...(storageBytes === undefined ? {} : { storageBytes }),
    ...options,
  });
}
