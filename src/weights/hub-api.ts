import { EngineError } from "../errors.ts";
import { parseJsonText } from "../format/json-text.ts";
import { type Fetch, httpGet, refused } from "./http-request.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";
import { type HubRepo, hubId, isCommit } from "./source-spec.ts";

/** A file as the hub lists it. */
export interface HubFile {
  readonly sizeBytes: number;
  /** Of a large file (LFS): SHA-256 of its content. */
  readonly sha256: string | undefined;
  /** Of a small file: SHA-1 of its git object. */
  readonly gitSha1: string | undefined;
}

/** How the hub is spoken to. */
export interface HubAccess {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Headers of every request to the endpoint: the access token, or nothing. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
  readonly idleTimeoutMs: number;
  readonly policy: RetryPolicy;
}

/** Pages of a listing that are followed; each has up to a thousand files. */
const maxPages = 100;
/** Longest answer accepted, in characters. */
const maxAnswerChars = 16_000_000;

/**
 * The commit that a revision names now.
 * @throws download-failed naming what is wrong with repository, revision or access | aborted
 */
export async function resolveCommit(access: HubAccess, repo: HubRepo, signal?: AbortSignal): Promise<string> {
  if (isCommit(repo.revision)) return repo.revision;
  const url = `${access.endpoint}/api/models/${repo.repo}/revision/${encodeURIComponent(repo.revision)}`;
  const { json } = await getJson(access, repo, url, signal);
  const sha = typeof json === "object" && json !== null && "sha" in json ? json.sha : undefined;
  if (typeof sha === "string" && isCommit(sha)) return sha;
  throw refused(url, 200, "the hub's answer has no commit (sha)");
}

/**
 * Every file of a repository at one commit, by its path.
 * @throws download-failed | aborted
 */
export async function listHubFiles(
  access: HubAccess,
  repo: HubRepo,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, HubFile>> {
  const files = new Map<string, HubFile>();
  let url: string | undefined =
    `${access.endpoint}/api/models/${repo.repo}/tree/${encodeURIComponent(repo.revision)}?recursive=1`;
  for (let page = 0; url !== undefined; page += 1) {
    if (page === maxPages) throw refused(url, 200, `the listing has more than ${maxPages} pages`);
    const answer: HubAnswer = await getJson(access, repo, url, signal);
    if (!Array.isArray(answer.json)) throw refused(url, 200, "the hub's listing is not a list");
    for (const entry of answer.json) addFile(files, entry, url);
    url = nextPage(access, url, answer.link);
  }
  return files;
}

function addFile(files: Map<string, HubFile>, entry: unknown, url: string): void {
  if (!isObject(entry) || entry.type !== "file") return;
  const { path, size, oid } = entry;
  const lfs = isObject(entry.lfs) ? entry.lfs : undefined;
  const sizeBytes = lfs?.size ?? size;
  if (typeof path !== "string" || typeof sizeBytes !== "number" || !Number.isSafeInteger(sizeBytes)) {
    throw refused(url, 200, "the hub lists a file without path or size");
  }
  files.set(path, {
    sizeBytes,
    sha256: hexOf(lfs?.oid, 64),
    gitSha1: lfs === undefined ? hexOf(oid, 40) : undefined,
  });
}

function hexOf(value: unknown, length: number): string | undefined {
  const hex = typeof value === "string" ? value.replace(/^sha256:/, "") : "";
  return hex.length === length && /^[0-9a-f]+$/.test(hex) ? hex : undefined;
}

/** The page after this one, from the Link header. It must be the endpoint's own: the token goes with the request. */
function nextPage(access: HubAccess, url: string, link: string | null): string | undefined {
  const [, target] = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link ?? "") ?? [];
  if (target === undefined) return undefined;
  const next = new URL(target, url);
  const own = new URL(access.endpoint);
  if (next.host !== own.host) throw refused(url, 200, `the listing goes on at another host, ${next.host}`);
  next.protocol = own.protocol; // behind some mirrors the server does not know that it is reached by https
  return next.href;
}

interface HubAnswer {
  readonly json: unknown;
  readonly link: string | null;
}

async function getJson(
  access: HubAccess,
  repo: HubRepo,
  url: string,
  signal: AbortSignal | undefined,
): Promise<HubAnswer> {
  return withRetries(
    access.policy,
    async () => {
      const decoder = new TextDecoder();
      let text = "";
      let link: string | null = null;
      await httpGet(access.fetch, access.idleTimeoutMs, {
        url,
        headers: { Accept: "application/json", ...access.headers },
        cache: "no-store",
        signal,
        onResponse(response) {
          if (response.status !== 200) throw hubRefusal(access, repo, url, response);
          link = response.headers.get("link");
          return true;
        },
        onPiece(piece) {
          text += decoder.decode(piece, { stream: true });
          if (text.length > maxAnswerChars) throw refused(url, 200, "the hub's answer is too long");
        },
      });
      return { json: parseAnswer(url, text), link };
    },
    { signal },
  );
}

function parseAnswer(url: string, text: string): unknown {
  try {
    return parseJsonText("the hub's answer", text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError("download-failed", `Reading ${url} failed: ${reason}`, {
      details: { url, status: 200 },
      cause,
    });
  }
}

/** What an answer other than 200 of the hub means for the user. */
export function hubRefusal(access: HubAccess, repo: HubRepo, url: string, response: Response): EngineError {
  const { status, headers } = response;
  const reason = refusalReason(access, repo, status, headers.get("x-error-code"));
  return new EngineError(
    "download-failed",
    `Cannot read ${hubId(repo)} from ${access.endpoint}: ${reason}.`,
    {
      details: { url, status, repo: repo.repo, revision: repo.revision },
    },
  );
}

function refusalReason(access: HubAccess, repo: HubRepo, status: number, code: string | null): string {
  const hasToken = access.headers.Authorization !== undefined;
  if (code === "RevisionNotFound" || (status === 404 && code === null)) {
    return `${repo.repo} has no revision "${repo.revision}", or there is no such repository (${status}); check both names`;
  }
  if (code === "GatedRepo" || status === 403) {
    const how = hasToken
      ? "its account has not been granted access: accept the terms on the repository's page"
      : "accept its terms on the repository's page, then pass an access token";
    return `the repository is gated (${status}); ${how}`;
  }
  if (status === 401 || code === "RepoNotFound") {
    return hasToken
      ? `there is no such repository for this access token (${status}); check the name, and that the token is valid and may read it`
      : `there is no such public repository (${status}); check the name, or pass an access token if it is private`;
  }
  return `the hub answered ${status}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
