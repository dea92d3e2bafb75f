import { EngineError } from "../errors.ts";
import type { HubLocation, SourceLocation } from "./source-types.ts";
import { resolveSourceUrl } from "./source-url.ts";

/** Address of the hub where a source names no other. */
export const defaultHubEndpoint = "https://huggingface.co";

/** A place in a repository on the hub. */
export interface HubRepo {
  /** `org/name`. */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** Folder inside the repository, without slashes at its ends; empty for the root. */
  readonly folder: string;
}

/** A commit in full, which names one content for ever. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** `hf:org/name@revision`, with the folder after the name where there is one. */
export const hubId = ({ repo, revision, folder }: HubRepo): string =>
  `hf:${folder === "" ? repo : `${repo}/${folder}`}@${revision}`;

/**
 * Reads `org/name`, `org/name@revision` or `org/name/folder@revision`, with or without `hf:` in front. The revision is
 * `main` where none is given.
 * @throws request-invalid
 */
export function parseHubRepo(text: string): HubRepo {
  const spec = text.trim().replace(/^hf:/, "");
  const at = spec.indexOf("@");
  const revision = at === -1 ? "main" : spec.slice(at + 1);
  const [org = "", name = "", ...folder] = (at === -1 ? spec : spec.slice(0, at)).split("/");
  const parts = [org, name, ...folder, ...revision.split("/")];
  if (parts.some((part) => !isPathPart(part)) || parts.length > maxPathParts) {
    throw new EngineError(
      "request-invalid",
      `Cannot use "${text}" as a repository on Hugging Face. Expected hf:org/name, hf:org/name@revision or hf:org/name/folder@revision, such as hf:openai/gpt-oss-20b@main.`,
      { details: { source: text } },
    );
  }
  return { repo: `${org}/${name}`, revision, folder: folder.join("/") };
}

/**
 * What a user typed as a place of a checkpoint: `hf:org/name@revision`, the page of a repository on Hugging Face
 * (`https://huggingface.co/org/name`, also with `/tree/REVISION`), or the address of a folder on any server. Words parted
 * by `/` are a repository too (`org/name@revision`), unless `relativeTo` makes them an address.
 * @throws request-invalid
 */
export function parseSource(text: string, relativeTo?: string): SourceLocation {
  const isRepo = text.trim().startsWith("hf:") || (relativeTo === undefined && looksLikeRepo(text.trim()));
  if (isRepo) return { hf: hubId(parseHubRepo(text)) };
  return hubLocationOf(text, relativeTo) ?? { baseUrl: resolveSourceUrl(text, relativeTo) };
}

/** The repository behind the address of one of Hugging Face's own pages; undefined for every other address. */
export function hubLocationOf(address: string, relativeTo?: string): HubLocation | undefined {
  let url: URL;
  try {
    url = new URL(address.trim(), relativeTo);
  } catch {
    return undefined;
  }
  const isHub = /^(www\.)?(huggingface\.co|hf\.co)$/.test(url.hostname) && url.protocol === "https:";
  if (!isHub || url.username !== "" || url.password !== "") return undefined;
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const [org, name, view, revision, ...folder] = parts;
  if (org === undefined || name === undefined) return undefined;
  if (view !== undefined && !["tree", "resolve", "blob"].includes(view)) return undefined;
  const repo = [org, name, ...folder].join("/");
  return { hf: hubId(parseHubRepo(revision === undefined ? repo : `${repo}@${decodePart(revision)}`)) };
}

/** `org/name`, with folders and a revision; `./x` and `../x` are places on a disk or a server. */
const looksLikeRepo = (text: string): boolean =>
  /^[\w.-]+(\/[\w.-]+)+(@[\w./-]+)?$/.test(text) && !/^\.+\//.test(text);

const maxPathParts = 16;

/** Letters, digits, `.`, `_`, `-`: what names of users, repositories, branches and folders are made of. */
function isPathPart(part: string): boolean {
  return part.length <= 96 && /^[\w.-]+$/.test(part) && !/^\.+$/.test(part) && !part.includes("..");
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part); // branches such as refs%2Fpr%2F1
  } catch {
    return part;
  }
}
