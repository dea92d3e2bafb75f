import { EngineError, isEngineError, throwIfAborted } from "../errors.ts";
import { parseJsonText } from "../format/json-text.ts";
import type { ChunkStore, StoredModel } from "./chunk-store.ts";
import { sha256 } from "./chunks.ts";
import type { HealOptions } from "./heal-chunk.ts";
import { textFileNames, tokenizerName } from "./tokenizer-source.ts";
import type { RemoteFiles, TextSource } from "./types.ts";

/** tokenizer.json of gpt-oss has 28 million characters. */
const maxTextChars = 128 * 1024 * 1024;

/** The part of a model's record that is about its small files. */
export type StoredTexts = Required<Pick<StoredModel, "texts" | "textsSha256">>;

/** Stores those of the small files that the source has. @throws checkpoint-invalid where one is no JSON | storage-full */
export async function storeTexts(
  store: ChunkStore,
  id: string,
  from: Pick<RemoteFiles, "readText">,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<StoredTexts> {
  const textsSha256: Record<string, string> = {};
  for (const name of names) {
    const text = await from.readText(name, signal);
    if (text === undefined) continue;
    // Also tells a body that was cut short, which HTTP does not always show.
    parseJsonText(name, text, maxTextChars);
    await store.putText(id, name, text);
    textsSha256[name] = await textDigest(text);
  }
  return { texts: Object.keys(textsSha256), textsSha256 };
}

/**
 * A small file of a stored model, checked against its SHA-256; undefined where the model has none of that name. A lost or
 * damaged one is read from `remote` again, and stored if it is still the same.
 * @throws checksum-mismatch with details {file}
 */
export async function readStoredText(
  options: HealOptions,
  name: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  throwIfAborted(signal);
  const { store, model } = options;
  if (!model.texts.includes(name)) return undefined;
  const text = await store.getText(model.id, name);
  const expected = model.textsSha256?.[name];
  if (text !== undefined && (expected === undefined || expected === (await textDigest(text)))) return text;
  return healText(options, name, signal);
}

/** The small files of a model that are lost or damaged. */
export async function findBadTexts(store: ChunkStore, model: StoredModel): Promise<string[]> {
  const bad: string[] = [];
  for (const name of model.texts) {
    const text = await store.getText(model.id, name);
    const expected = model.textsSha256?.[name];
    const isGood =
      text !== undefined &&
      (expected === undefined ? isJson(name, text) : expected === (await textDigest(text)));
    if (!isGood) bad.push(name);
  }
  return bad;
}

/** The SHA-256 of a model's small files, also of those stored by a version that kept none. */
export async function textDigests(store: ChunkStore, model: StoredModel): Promise<Record<string, string>> {
  const digests: Record<string, string> = { ...model.textsSha256 };
  for (const name of model.texts) {
    const text = digests[name] === undefined ? await store.getText(model.id, name) : undefined;
    if (text !== undefined) digests[name] = await textDigest(text);
  }
  return digests;
}

/** Whether a stored model is to be given small files from here: a tokenizer that it lacks, or whatever an import brings. */
export function wantsTexts(model: StoredModel, from: TextSource | undefined): from is TextSource {
  if (from === undefined || model.kind !== undefined) return false;
  return from.replaces || !model.texts.includes(tokenizerName);
}

/** Adds the files about text that a stored model lacks, or that an import has otherwise. @returns its record as it is then */
export async function addTexts(
  store: ChunkStore,
  model: StoredModel,
  from: TextSource,
  { asked, signal }: { readonly asked?: unknown; readonly signal?: AbortSignal | undefined },
): Promise<StoredModel> {
  const changed: string[] = [];
  for (const name of textFileNames) {
    if (model.texts.includes(name) && !from.replaces) continue;
    const text = await from.readText(name, signal);
    if (text === undefined || (await textDigest(text)) === model.textsSha256?.[name]) continue;
    changed.push(name);
  }
  if (changed.length === 0) return model;
  const added = await storeTexts(store, model.id, from, changed, signal);
  const now: StoredModel = {
    ...model,
    texts: [...model.texts, ...added.texts.filter((name) => !model.texts.includes(name))],
    textsSha256: { ...model.textsSha256, ...added.textsSha256 },
    ...(asked !== undefined && { source: asked }), // where they came from, for repairs
  };
  await store.putModel(now);
  return now;
}

/** Reads a lost or damaged text from `remote` again, and stores it. @throws checksum-mismatch where it is another one now */
export async function healText(
  { store, model, remote }: HealOptions,
  name: string,
  signal?: AbortSignal,
): Promise<string> {
  const damage = `${name} is lost or damaged in the browser's storage`;
  if (remote === undefined) throw mismatch(name, `${damage}; repair the model, or download it again.`);
  const text = await remote.readText(name, signal).catch((cause: unknown) => {
    if (!isEngineError(cause, "download-failed")) throw cause;
    throw mismatch(name, `${damage}, and fetching it again failed: ${cause.message}`, cause);
  });
  const expected = model.textsSha256?.[name];
  const isSame =
    text !== undefined &&
    (expected === undefined ? isJson(name, text) : expected === (await textDigest(text)));
  if (!isSame) {
    throw mismatch(
      name,
      `${damage}, and the file at ${remote.id} is not the one that was stored any more. Delete the stored model and download it again.`,
    );
  }
  // Not for a model that was deleted meanwhile: nothing would list it.
  if (!model.ready || (await store.getModel(model.id)) !== undefined)
    await store.putText(model.id, name, text);
  return text;
}

function isJson(name: string, text: string): boolean {
  try {
    parseJsonText(name, text, maxTextChars);
    return true;
  } catch {
    return false;
  }
}

const textDigest = (text: string): Promise<string> => sha256(new TextEncoder().encode(text));

function mismatch(file: string, message: string, cause?: unknown): EngineError {
  return new EngineError("checksum-mismatch", message, { details: { file }, cause });
}
