import { EngineError } from "../errors.ts";
import { configName } from "../format/config.ts";
import { isPlainFileName } from "../format/file-name.ts";
import { createHttpFiles, type HttpFilesOptions } from "./http-files.ts";
import { type HubAccess, type HubFile, listHubFiles, resolveCommit } from "./hub-api.ts";
import { checkHubText } from "./hub-text.ts";
import { defaultHubEndpoint, type HubRepo, hubId, isCommit, parseHubRepo } from "./source-spec.ts";
import type { HubLocation } from "./source-types.ts";
import { textFileNames } from "./tokenizer-source.ts";
import type { RemoteFiles } from "./types.ts";

export interface HubFilesOptions
  extends Pick<HttpFilesOptions, "fetch" | "idleTimeoutMs" | "retries" | "retryDelayMs"> {
  readonly location: HubLocation;
  /** Remembers which commit a branch or tag meant, so that a stored model needs no request. */
  readonly pins?: CommitPins | undefined;
  /** Key under which the files are stored, where it is not the repository and its commit. */
  readonly storedAs?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Commits by `hf:org/name@revision`. */
export interface CommitPins {
  /** The commit whose files are stored (as `storedAs`), in whole or in part; undefined where none are. */
  get(repo: HubRepo, storedAs?: string): Promise<string | undefined>;
  set(repo: HubRepo, commit: string): Promise<void>;
}

/**
 * A checkpoint in a repository on the hub, pinned to one commit: its id is `hf:org/name@commit`. Sizes and digests come
 * from the commit's listing, which is fetched once, at the first use. For a revision in full, or one that `pins` knows,
 * no request is made before that. Small files are checked against the listing as they are read.
 * @throws request-invalid | download-failed | aborted; the methods also checksum-mismatch
 */
export async function openHubFiles(options: HubFilesOptions): Promise<RemoteFiles> {
  const { location, pins, signal } = options;
  const named = parseHubRepo(location.hf);
  const access = hubAccess(options);
  const known = isCommit(named.revision)
    ? named.revision
    : location.refresh
      ? undefined
      : await pins?.get(named, options.storedAs);
  const revision = known ?? (await resolveCommit(access, named, signal));
  // A storage that is full or blocked is no matter of those who only read; a download meets it by itself.
  if (!isCommit(named.revision) && known === undefined) await pins?.set(named, revision).catch(() => {});
  return pinnedFiles(options, access, { ...named, revision });
}

function pinnedFiles(options: HubFilesOptions, access: HubAccess, repo: HubRepo): RemoteFiles {
  const listing = once((signal?: AbortSignal) => listHubFiles(access, repo, signal));
  const folder = (path: string) =>
    once(async (signal?: AbortSignal) =>
      openFolder(options, access, { ...repo, folder: path }, await listing(signal)),
    );
  const own = folder(repo.folder);
  const root = folder("");
  const entry = async (name: string, signal?: AbortSignal) => {
    if (!isPlainFileName(name))
      throw new EngineError("request-invalid", `"${name}" is not a plain file name.`);
    const file = (await listing(signal)).get(pathOf(repo.folder, name));
    if (file !== undefined) return file;
    throw new EngineError(
      "download-failed",
      `${hubId(repo)} has no file ${name}; check repository, revision and folder.`,
      {
        details: { file: name, repo: repo.repo, revision: repo.revision },
      },
    );
  };
  return {
    id: hubId(repo),
    async readText(name, signal) {
      const files = await listing(signal);
      const inRoot = !files.has(pathOf(repo.folder, name)) && textFileNames.includes(name);
      const path = inRoot ? name : pathOf(repo.folder, name);
      const file = files.get(path);
      if (file === undefined && name === configName) throw noConfig(repo, files);
      if (file === undefined) return undefined;
      const text = await (await (inRoot ? root : own)(signal)).readText(name, signal);
      if (text !== undefined) await checkHubText(hubId(repo), path, file, text);
      return text;
    },
    async stat(name, signal) {
      const { sizeBytes, sha256, gitSha1 } = await entry(name, signal);
      return { sizeBytes, etag: sha256 ?? gitSha1 };
    },
    sizeBytes: async (name, signal) => (await entry(name, signal)).sizeBytes,
    async expected(name, signal) {
      const { sizeBytes, sha256 } = await entry(name, signal);
      return { sizeBytes, sha256 };
    },
    read: async (name, startBytes, endBytes, signal) =>
      (await own(signal)).read(name, startBytes, endBytes, signal),
    fetchRange: async (name, range, fetchOptions) =>
      (await own(fetchOptions?.signal)).fetchRange(name, range, fetchOptions),
  };
}

/** The bytes of one folder at one commit. Each request starts at the hub, which signs a fresh address for it. */
function openFolder(
  options: HubFilesOptions,
  access: HubAccess,
  repo: HubRepo,
  listing: ReadonlyMap<string, HubFile>,
): RemoteFiles {
  const prefix = repo.folder === "" ? "" : `${repo.folder}/`;
  const inFolder = [...listing].filter(
    ([path]) => path.startsWith(prefix) && !path.slice(prefix.length).includes("/"),
  );
  const { idleTimeoutMs, retries, retryDelayMs } = options;
  return createHttpFiles({
    baseUrl: `${access.endpoint}/${repo.repo}/resolve/${repo.revision}/${prefix}`,
    headers: access.headers,
    sizes: new Map(inFolder.map(([path, { sizeBytes }]) => [path.slice(prefix.length), sizeBytes])),
    fetch: access.fetch,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(retries === undefined ? {} : { retries }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  });
}

function hubAccess({ location, fetch, idleTimeoutMs, retries, retryDelayMs }: HubFilesOptions): HubAccess {
  const endpoint = checkEndpoint(location);
  return {
    endpoint,
    headers: location.token === undefined ? {} : { Authorization: `Bearer ${location.token}` },
    fetch: fetch ?? ((url, init) => globalThis.fetch(url, init)),
    idleTimeoutMs: idleTimeoutMs ?? 30_000,
    policy: { retries: retries ?? 5, retryDelayMs: retryDelayMs ?? 500 },
  };
}

function checkEndpoint({ endpoint = defaultHubEndpoint, token }: HubLocation): string {
  const wrong = (why: string) =>
    new EngineError("request-invalid", `Cannot use "${endpoint}" as the address of the hub: ${why}.`, {
      details: { endpoint },
    });
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    throw wrong("it is not an absolute URL");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") throw wrong(`it uses ${url.protocol}`);
  if (url.username !== "" || url.password !== "") throw wrong("it carries a user name or password");
  const isLocal = url.hostname === "localhost" || url.hostname === "127.0.0.1" || url.hostname === "[::1]";
  if (token !== undefined && url.protocol === "http:" && !isLocal) {
    throw wrong("an access token would cross the network unencrypted; use https");
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new EngineError(
      "request-invalid",
      "The access token holds characters that no token has, such as spaces.",
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** A repository without config.json is something else: says what is there. */
function noConfig(repo: HubRepo, files: ReadonlyMap<string, HubFile>): EngineError {
  const here = [...files.keys()];
  const folders = here
    .filter((path) => path.endsWith(`/${configName}`))
    .map((path) => path.slice(0, -configName.length - 1));
  const isAdapter = files.has(pathOf(repo.folder, "adapter_config.json"));
  const hint = isAdapter
    ? "it is a LoRA adapter: load its base model and pass it as `lora`"
    : folders.length > 0
      ? `its folders with one: ${folders.map((folder) => hubId({ ...repo, folder })).join(", ")}`
      : "expected a gpt-oss checkpoint (config.json, tokenizer.json, *.safetensors)";
  return new EngineError("checkpoint-invalid", `${hubId(repo)} has no ${configName}; ${hint}.`, {
    details: { file: configName, source: hubId(repo) },
  });
}

const pathOf = (folder: string, name: string) => (folder === "" ? name : `${folder}/${name}`);

/** Runs `make` at the first call and again only after a failure. */
function once<T>(make: (signal?: AbortSignal) => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let made: Promise<T> | undefined;
  return (signal) => {
    const current = made ?? make(signal);
    made = current;
    current.catch(() => {
      if (made === current) made = undefined;
    });
    return current;
  };
}
