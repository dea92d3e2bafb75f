import { EngineError } from "../errors.ts";
import type { FoundModel, Stores } from "../weights/stores.ts";

/** A model in this browser's storage, by its id. @throws request-invalid listing what is stored */
export async function requireStored(stores: Stores, id: string): Promise<FoundModel> {
  const found = await stores.find(id);
  if (found !== undefined) return found;
  const ids = (await stores.list()).map((model) => model.id);
  const there = ids.length === 0 ? "Nothing is stored" : `Stored are: ${ids.join(", ")}`;
  throw new EngineError("request-invalid", `No model ${id} is stored in this browser. ${there}.`, {
    details: { id, stored: ids },
  });
}
