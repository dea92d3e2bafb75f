import type { ModelSource, SourceLocation } from "../weights/source-types.ts";

/**
 * The same source with addresses that mean the page's, not the worker script's; those of its tokenizer and adapter too.
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
  if (!("baseUrl" in location)) return location;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    return { ...location, baseUrl: new URL(location.baseUrl, base).href };
  } catch {
    return location;
  }
}
