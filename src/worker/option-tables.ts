import {
  abortSignal,
  anObject,
  callback,
  checkOptions,
  flag,
  isObject,
  listOf,
  type OptionTable,
  objectOf,
  oneOf,
  type Rule,
  text,
  wholeNumber,
  wrong,
} from "../runtime/check-options.ts";
import { loadOptionRules } from "../runtime/option-tables.ts";
import type { LoadOptions } from "../runtime/types.ts";
import type { StorageOptions } from "../weights/storage-options.ts";
import type { DownloadOptions, WorkerLoadOptions } from "./protocol.ts";

const storageRules: OptionTable<StorageOptions> = {
  store: oneOf("indexeddb", "opfs", "auto"),
  verify: oneOf("full", "sampled", "none"),
  connections: wholeNumber(1, 16),
};

/** The rules of `WorkerLoadOptions`. */
export const workerLoadRules: OptionTable<WorkerLoadOptions> = {
  ...loadOptionRules,
  ...storageRules,
  otherTab: oneOf("wait", "refuse", "take-over", "share"),
};

/** The rules of `DownloadOptions`. */
export const downloadRules: OptionTable<DownloadOptions> = {
  ...storageRules,
  otherTab: oneOf("wait", "refuse", "take-over"),
  onProgress: callback,
  signal: abortSignal,
};

const places: Readonly<Record<string, Rule>> = {
  baseUrl: text,
  hf: text,
  files: listOf(anObject, "a list of files, such as [...input.files]"),
  directory: anObject,
  stored: text,
};
const locationRules: Readonly<Record<string, Rule>> = {
  ...places,
  token: text,
  endpoint: text,
  refresh: flag,
  paths: listOf(text, "a list of paths"),
  import: flag,
};
const expectedPlace =
  'one place: { hf: "org/name" }, { baseUrl: "https://…" }, { files }, { directory } or { stored: id }';

/** A place, and what else its table lets it say. */
const locationOf =
  (table: Readonly<Record<string, Rule>>): Rule =>
  (value, path) => {
    const name = path === "" ? "the source" : path;
    if (typeof value === "string")
      return wrong(name, value, `${expectedPlace}; parseSource(text) makes one of a text`);
    if (!isObject(value)) return wrong(name, value, expectedPlace);
    const given = Object.keys(places).filter((place) => Object.hasOwn(value, place));
    if (given.length !== 1) return wrong(name, value, expectedPlace);
    return objectOf(table, given)(value, path);
  };
const aLocation = locationOf(locationRules);
const sourceRules: Readonly<Record<string, Rule>> = {
  ...locationRules,
  id: text,
  chunkBytes: wholeNumber(4 * 1024 * 1024, 32 * 1024 * 1024),
  tokenizer: aLocation,
  lora: aLocation,
};
const aSource = locationOf(sourceRules);

/** Checks where a model is said to lie. @throws request-invalid naming what is wrong with it */
export function checkSource(what: string, source: unknown): void {
  checkOptions(what, { source }, { source: (value) => aSource(value, "") }, ["source"]);
}

/** The options that are the engine's own, without those of storage and tabs. */
export function engineOptions(options: LoadOptions): LoadOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(loadOptionRules, name)));
}
