import { type ModelSource, parseSource, type WorkerLoadOptions } from "../src/index.ts";

/** How a model is loaded, where the user chose otherwise than the engine. */
export type LoadSettings = Pick<WorkerLoadOptions, "contextLength" | "kvFormat" | "dense" | "store">;

/** A checkpoint that is chosen, and how to load it. */
export interface ModelChoice {
  readonly name: string;
  readonly source: ModelSource;
  readonly settings?: LoadSettings;
}

/** A checkpoint that the picker offers by name. */
export interface ListedModel extends ModelChoice {
  readonly label: string;
  /** Set where the engine knows the shape: a report about it needs no request. */
  readonly published?: "20b" | "120b";
}

/** The small trained model that lies beside the page. */
export const embeddedModel: ModelChoice = {
  name: "gpt-oss-nano",
  source: { baseUrl: "models/gpt-oss-nano/" },
};

/** Entries of the picker with a fixed place. */
export const listedModels: readonly ListedModel[] = [
  { ...embeddedModel, label: "gpt-oss-nano (15 MB, comes with this page)" },
  {
    name: "openai/gpt-oss-20b",
    source: { hf: "openai/gpt-oss-20b" },
    label: "openai/gpt-oss-20b (13.8 GB, Hugging Face)",
    published: "20b",
  },
  {
    name: "openai/gpt-oss-120b",
    source: { hf: "openai/gpt-oss-120b" },
    label: "openai/gpt-oss-120b (65.2 GB, Hugging Face)",
    published: "120b",
  },
];

/** True for the model beside the page, also where its address is written in full. */
export function isEmbedded({ source }: ModelChoice): boolean {
  return JSON.stringify(placeOf(source)) === JSON.stringify(embeddedModel.source);
}

/** Temperature where the page's address sets none: the embedded model is so small that sampling makes it wrong. */
export function defaultTemperature(choice: ModelChoice): number {
  return isEmbedded(choice) ? 0 : 1;
}

/** The entry of the picker that a stored model belongs to, by its id. `pageUrl` is what relative addresses start from. */
export function listedFor(id: string, pageUrl: string): ListedModel | undefined {
  return listedModels.find(({ source }) => {
    if ("hf" in source) return id.startsWith(`hf:${source.hf}@`);
    return "baseUrl" in source && new URL(source.baseUrl, pageUrl).href === id;
  });
}

/** True where loading `b` would give what loading `a` gave. */
export function sameChoice(a: ModelChoice, b: ModelChoice): boolean {
  return sameSource(a.source, b.source) && shapeOf(a.settings) === shapeOf(b.settings);
}

/** Where a model is kept does not change it. */
const shapeOf = ({ contextLength, kvFormat, dense }: LoadSettings = {}) =>
  JSON.stringify([contextLength ?? null, kvFormat ?? null, dense ?? null]);

function sameSource(a: ModelSource, b: ModelSource): boolean {
  if ("files" in a) return "files" in b && a.files === b.files && a.import === b.import;
  if ("directory" in a) return "directory" in b && a.directory === b.directory && a.import === b.import;
  if ("files" in b || "directory" in b) return false;
  return JSON.stringify(placeOf(a)) === JSON.stringify(placeOf(b));
}

/** A source without the access token, which says nothing about the model. */
function placeOf(source: ModelSource): unknown {
  if (!("hf" in source)) return source;
  const { token: _, ...place } = source;
  return place;
}

/**
 * What was typed as an address, as a choice: `org/name`, also with a revision or a folder, is a repository on Hugging
 * Face, as is the address of its page. Undefined where it is neither that nor an http(s) address.
 */
export function choiceFromAddress(typed: string, token = ""): ModelChoice | undefined {
  const address = typed.trim();
  const isRepo = /^[\w.-]+(\/[\w.-]+)+(@[\w./-]+)?$/.test(address);
  try {
    const source = parseSource(isRepo ? `hf:${address}` : address);
    if ("hf" in source) {
      const name = source.hf.replace(/^hf:/, "").replace(/@main$/, "");
      return { name, source: token.trim() === "" ? source : { ...source, token: token.trim() } };
    }
    if (!("baseUrl" in source)) return undefined;
    const { hostname, pathname } = new URL(source.baseUrl);
    return { name: pathname.split("/").findLast((part) => part !== "") ?? hostname, source };
  } catch {
    return undefined; // the field says what is expected
  }
}
