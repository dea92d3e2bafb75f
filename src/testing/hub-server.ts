import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type RangeServer, startRangeServer } from "./range-server.ts";

/** One request as the hub or its file host saw it. */
export interface SeenHubRequest {
  readonly host: "hub" | "files";
  /** Path with query. */
  readonly path: string;
  readonly authorization: string | undefined;
}

/** A repository of the fake hub: its files at one commit. */
export interface FakeRepo {
  /** Commit by branch or tag; changed by tests. */
  readonly revisions: Map<string, string>;
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  /** Paths listed as large files, with a SHA-256; the others have the SHA-1 of their git object. */
  readonly large: ReadonlySet<string>;
  /** Token that must come with every request. */
  readonly token?: string;
  /** Status and error code that each request is refused with. */
  readonly refusal?: { readonly status: number; readonly code?: string };
}

export interface HubServer {
  readonly endpoint: string;
  readonly repos: Map<string, FakeRepo>;
  readonly requests: SeenHubRequest[];
  /** Where redirects lead: another origin, with signatures. */
  readonly fileHost: RangeServer;
  /** How often a signed address works from now on; it expires after that. */
  usesPerSignature: number;
  /** Entries of one page of a listing. */
  pageSize: number;
  close(): Promise<void>;
}

/**
 * A fake of Hugging Face's public API: revisions, listings in pages, and files by redirects to another origin with
 * signed addresses that expire.
 */
export async function startHubServer(): Promise<HubServer> {
  const requests: SeenHubRequest[] = [];
  const repos = new Map<string, FakeRepo>();
  const usesLeft = new Map<string, number>();
  let signatures = 0;
  const note = (host: SeenHubRequest["host"], { url, headers }: IncomingMessage) =>
    requests.push({ host, path: url ?? "", authorization: headers.authorization });
  const fileHost = await startRangeServer({
    allow(request) {
      note("files", request);
      const signature = new URL(request.url ?? "/", "http://localhost").searchParams.get("signature") ?? "";
      const left = usesLeft.get(signature) ?? 0;
      usesLeft.set(signature, left - 1);
      return left > 0;
    },
  });
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value);
    if (request.method === "OPTIONS") {
      response.writeHead(204).end();
      return;
    }
    note("hub", request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // Another host name than the files', so that it is another origin and another host.
  const hub: HubServer = {
    endpoint: `http://localhost:${port}`,
    repos,
    requests,
    fileHost,
    usesPerSignature: Number.POSITIVE_INFINITY,
    pageSize: 1000,
    close: async () => {
      server.closeAllConnections();
      await Promise.all([fileHost.close(), new Promise((resolve) => server.close(resolve))]);
    },
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", hub.endpoint);
    const found = routes.exec(url.pathname);
    const [, name = "", action, revision = "", path = ""] = found ?? [];
    const repo = repos.get(name);
    const commit = repo === undefined ? undefined : commitOf(repo, decodeURIComponent(revision));
    const content = repo?.files.get(path);
    if (repo === undefined) refuse(response, 401, "RepoNotFound");
    else if (repo.refusal !== undefined) refuse(response, repo.refusal.status, repo.refusal.code);
    else if (!mayRead(repo, request)) refuse(response, 401, "GatedRepo");
    else if (commit === undefined) refuse(response, 404, "RevisionNotFound");
    else if (action === "revision") sendJson(response, { id: name, sha: commit });
    else if (action === "tree") sendListing(response, repo, url);
    else if (content === undefined) refuse(response, 404, "EntryNotFound");
    else redirect(response, `${name}/${commit}/${path}`, content);
  }

  function redirect(response: ServerResponse, file: string, content: Uint8Array | string): void {
    const signature = String(++signatures);
    usesLeft.set(signature, hub.usesPerSignature);
    fileHost.files.set(file, content);
    response.writeHead(302, { Location: `${fileHost.url}${file}?signature=${signature}` }).end();
  }

  function sendListing(response: ServerResponse, repo: FakeRepo, url: URL): void {
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const entries = [...repo.files].map(([path, content]) => listed(path, content, repo.large.has(path)));
    const all = [{ type: "directory", oid: "0".repeat(40), size: 0, path: "original" }, ...entries];
    const next = start + hub.pageSize;
    url.searchParams.set("cursor", String(next));
    if (next < all.length) response.setHeader("Link", `<${url.href}>; rel="next"`);
    sendJson(response, all.slice(start, next));
  }
  return hub;
}

/** As the real hub answers pages of other origins. */
const corsHeaders = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "Authorization, Range",
  "Access-Control-Expose-Headers": "Link, ETag, Content-Range, X-Error-Code",
};

const routes = /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(revision|tree|resolve)\/([^/]+)(?:\/(.*))?$/;

const commitOf = ({ revisions }: FakeRepo, revision: string): string | undefined =>
  [...revisions.values()].includes(revision) ? revision : revisions.get(revision);

const mayRead = ({ token }: FakeRepo, { headers }: IncomingMessage): boolean =>
  token === undefined || headers.authorization === `Bearer ${token}`;

function listed(path: string, content: Uint8Array | string, isLarge: boolean): Record<string, unknown> {
  const bytes = Buffer.from(content);
  const oid = createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
  const entry = { type: "file", oid, size: bytes.byteLength, path };
  if (!isLarge) return entry;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { ...entry, oid: "1".repeat(40), lfs: { oid: sha256, size: bytes.byteLength, pointerSize: 134 } };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string | undefined): void {
  response.writeHead(status, code === undefined ? {} : { "X-Error-Code": code }).end("{}");
}
