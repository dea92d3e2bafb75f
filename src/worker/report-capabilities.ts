import { isEngineError } from "../errors.ts";
import { parseModelConfig } from "../format/config.ts";
import { manifestOfConfig } from "../format/manifest-of-config.ts";
import { publishedConfig } from "../format/published-shapes.ts";
import {
  type CapabilityOptions,
  type CapabilityReport,
  capabilityReport,
} from "../runtime/capability-report.ts";
import type { HostServices } from "./host.ts";
import type { CapabilitySubject } from "./protocol.ts";

/** Whether a model can run here. A missing adapter is a finding of the report, not a failure of it. */
export async function reportCapabilities(
  services: Pick<HostServices, "describeAdapter" | "readManifest" | "storageBytes">,
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
