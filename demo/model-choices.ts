/** A checkpoint that the picker offers. */
export interface ModelChoice {
  readonly name: string;
  readonly baseUrl: string;
}

/** The small trained model that lies beside the page. */
export const embeddedModel: ModelChoice = {
  name: "gpt-oss-nano",
  baseUrl: "models/gpt-oss-nano/",
};

/** Temperature where the page's address sets none: the embedded model is so small that sampling makes it wrong. */
export function defaultTemperature({ baseUrl }: ModelChoice): number {
  return baseUrl === embeddedModel.baseUrl ? 0 : 1;
}

/** Entries of the picker with a fixed address. */
export const listedModels: readonly (ModelChoice & { readonly label: string })[] = [
  { ...embeddedModel, label: "gpt-oss-nano (15 MB, comes with this page)" },
  {
    name: "openai/gpt-oss-20b",
    baseUrl: "https://huggingface.co/openai/gpt-oss-20b",
    label: "openai/gpt-oss-20b (13.8 GB, Hugging Face)",
  },
];

/**
 * What was typed as an address, as a choice: `org/name` means a repository on Hugging Face. Undefined where it is
 * neither that nor an http(s) address.
 */
export function choiceFromAddress(typed: string): ModelChoice | undefined {
  const address = typed.trim();
  if (/^[\w.-]+\/[\w.-]+$/.test(address)) {
    return { name: address, baseUrl: `https://huggingface.co/${address}` };
  }
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return undefined;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const isHub = url.hostname === "huggingface.co" || url.hostname === "hf.co";
  const named = isHub ? parts.slice(0, 2).join("/") : parts.at(-1);
  return { name: named === undefined || named === "" ? url.hostname : named, baseUrl: url.href };
}
