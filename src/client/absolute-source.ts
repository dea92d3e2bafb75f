import { type ModelSource, pathsOf, type SourceLocation } from "../weights/source-types.ts";

/**
 * The same source in a form that means the same in the worker: addresses are the page's, not the worker script's, and
 * picked files have their paths beside them. Its tokenizer and adapter too.
 * A malformed address is left to the worker to refuse.
 */
export function absoluteSource(source: ModelSource): ModelSource {
  const { tokenizer, lora } = source;
  return {
    ...source,
    ...absolute(source),
    ...(tokenizer === undefined ? {} : { tokenizer: absolute(tokenizer) }),
    ...(lora === undefined ? {} : { lora: absolute(lora) }),
  };
}

function absolute<T extends SourceLocation>(location: T): T {
  if ("files" in location) return { ...location, paths: pathsOf(location) }; // not every browser clones them with a file
  if (!("baseUrl" in location)) return location;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    return { ...location, baseUrl: new URL(location.baseUrl, base).href };
  } catch {
    return location;
  }
}
