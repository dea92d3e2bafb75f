import { EngineError } from "../errors.ts";

/**
 * The absolute folder address of a checkpoint, ending in `/`. The page of a Hugging Face repository
 * (`https://huggingface.co/org/name`, also `/tree/REVISION`) becomes its `/resolve/REVISION/` address; any
 * other http(s) address is taken as the folder itself. `relativeTo` (absolute) makes relative addresses work.
 * @throws request-invalid
 */
export function resolveSourceUrl(address: string, relativeTo?: string): string {
  let url: URL;
  try {
    url = new URL(address.trim(), relativeTo);
  } catch (cause) {
    throw wrongAddress(address, "it is not an absolute URL", cause);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw wrongAddress(address, `it uses ${url.protocol}`);
  if (url.username !== "" || url.password !== "")
    throw wrongAddress(address, "it carries a user name or password");
  url.search = "";
  url.hash = "";
  url.pathname = folderPath(url);
  return url.href;
}

function folderPath(url: URL): string {
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const [org, name, view, revision, ...rest] = parts;
  const isHub = url.hostname === "huggingface.co" || url.hostname === "hf.co";
  if (isHub && org !== undefined && name !== undefined) {
    if (view === undefined) return `/${org}/${name}/resolve/main/`;
    if (view === "tree" && revision !== undefined)
      return `/${[org, name, "resolve", revision, ...rest].join("/")}/`;
  }
  return parts.length === 0 ? "/" : `/${parts.join("/")}/`;
}

function wrongAddress(address: string, why: string, cause?: unknown): EngineError {
  return new EngineError(
    "request-invalid",
    `Cannot use "${address}" as the address of a checkpoint: ${why}. Expected the http(s) URL of a folder with config.json, or a repository on Hugging Face as org/name.`,
    { details: { address }, cause },
  );
}
