import type { Plugin } from "vite";

/** The checkpoint files that are needed at run time. */
export const embeddedModelFiles: readonly string[];

/**
 * The embedded model at `models/gpt-oss-nano/` beside the page, in dev (with byte ranges) and in the build.
 * `source` is the checkpoint's folder; default: the repository's.
 */
export function embeddedModel(source?: string): Plugin;
