import { EngineError } from "../errors.ts";
import type { ModelSource, SourceLocation } from "../weights/source-types.ts";
import { asSource } from "../weights/storable-source.ts";
import { unknownWhether } from "../weights/store-faults.ts";
import type { FoundModel, Stores } from "../weights/stores.ts";

/**
 * A model in this browser's storage, by its id.
 * @throws request-invalid listing what is stored | storage-failed where it may lie in a store that fails
 */
export async function requireStored(stores: Stores, id: string): Promise<FoundModel> {
  const found = await stores.find(id);
  if (found !== undefined) return found;
  const [fault] = await stores.faults();
  if (fault !== undefined) throw unknownWhether(id, fault);
  const ids = (await stores.list()).map((model) => model.id);
  const there = ids.length === 0 ? "Nothing is stored" : `Stored are: ${ids.join(", ")}`;
  throw new EngineError("request-invalid", `No model ${id} is stored in this browser. ${there}.`, {
    details: { id, stored: ids },
  });
}

/**
 * What is asked for as `stored`, as the source that its record names: what is there in part goes on from that, and damage
 * is mended from it. Other places, and imported folders, stay as they are. @throws request-invalid
 */
export async function resolveStored(stores: Stores, source: ModelSource): Promise<ModelSource> {
  const lora = source.lora && (await placeOf(stores, source.lora));
  const given = lora === undefined ? source : { ...source, lora };
  if (!("stored" in given)) return given;
  const { stored, ...options } = given;
  const { model } = await requireStored(stores, stored);
  const known = asSource(model.source);
  if (known === undefined) return given;
  const { tokenizer, ...place } = known;
  // A model that is whole is not to ask for what it was once stored without.
  const rest = model.ready || tokenizer === undefined ? place : known;
  return { ...rest, ...options, id: model.id };
}

/** An adapter's key follows from its place. */
async function placeOf(stores: Stores, place: SourceLocation): Promise<SourceLocation> {
  if (!("stored" in place)) return place;
  return asSource((await requireStored(stores, place.stored)).model.source) ?? place;
}
