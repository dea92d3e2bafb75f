import type { ModelSource, SourceLocation } from "./source-types.ts";

/**
 * A source as data that can be kept with the model and asked for again: without its access token, and pinned to the
 * commit that `id` names. Undefined for picked files and folders, which only the user can pick again.
 */
export function storableSource(source: ModelSource, id: string): ModelSource | undefined {
  const place = storablePlace(source);
  if (place === undefined) return undefined;
  const tokenizer = source.tokenizer === undefined ? undefined : storablePlace(source.tokenizer);
  const pinned =
    "hf" in place && source.id === undefined && id.startsWith("hf:") ? { ...place, hf: id } : place;
  return {
    ...pinned,
    ...(source.id !== undefined && { id: source.id }),
    ...(source.chunkBytes !== undefined && { chunkBytes: source.chunkBytes }),
    ...(tokenizer !== undefined && { tokenizer }),
  };
}

function storablePlace(location: SourceLocation): SourceLocation | undefined {
  if ("baseUrl" in location) return { baseUrl: location.baseUrl };
  if (!("hf" in location)) return undefined;
  const { hf, endpoint } = location;
  return { hf, ...(endpoint !== undefined && { endpoint }) };
}

/** What a model's record keeps, where it can be asked for again. */
export function asSource(value: unknown): ModelSource | undefined {
  const isSource = typeof value === "object" && value !== null && ("baseUrl" in value || "hf" in value);
  return isSource ? (value as ModelSource) : undefined;
}
