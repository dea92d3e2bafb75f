import type { IncomingHttpHeaders } from "node:http";

/** One GET or HEAD that arrived, in order of arrival. */
export interface RequestRecord {
  readonly method: string;
  /** Decoded, without query. */
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** How a test bends one answer. Unset fields leave it alone. */
export interface Fault {
  /** Wait this long before anything is answered. */
  readonly delayMs?: number;
  /** Answer with this status and `body` instead of the file. */
  readonly status?: number;
  readonly body?: string;
  /** Set or replace headers, e.g. a wrong Content-Range. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Answer a Range request with 200 and the whole file. */
  readonly ignoreRange?: boolean;
  /** Break the connection after this many bytes of the body. */
  readonly resetAfterBytes?: number;
  /** End the body after this many bytes as if it were complete: sent without Content-Length. */
  readonly endAfterBytes?: number;
  /** Fall silent after this many bytes of the body; the connection stays open. */
  readonly stallAfterBytes?: number;
  /** Slow the body down to about this rate. */
  readonly bytesPerSecond?: number;
  /** Change the body: gets a piece and its offset in the file, returns as many bytes. */
  readonly transform?: (bytes: Uint8Array, offsetBytes: number) => Uint8Array;
}

export interface StaticServerOptions {
  /** Folder served at `/`. */
  readonly root: string;
  /** Further folders by URL prefix, e.g. `{ "/models/tiny/": "fixtures/tiny-mxfp4" }`; the longest prefix wins. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Wanted port. Default 0: any free one. A taken port gives way to one of the next ten, then to any. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Let pages of other origins read: for a stand-in of a model host. Default false. */
  readonly cors?: boolean;
  /** Headers that replace or join the security headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for every GET and HEAD; what it returns bends the answer. */
  readonly onRequest?: (request: RequestRecord) => Fault | undefined | Promise<Fault | undefined>;
}

export interface StaticServer {
  /** With a trailing slash, e.g. `http://127.0.0.1:4173/`. */
  readonly url: string;
  readonly port: number;
  /** Grows with every GET and HEAD. */
  readonly requests: readonly RequestRecord[];
  /** Ends open connections too. */
  close(): Promise<void>;
}

export const securityHeaders: Readonly<Record<string, string>>;

/** Serves a folder: MIME types, ETag, one byte range, security headers; never a file outside its roots. */
export function createStaticServer(options: StaticServerOptions): Promise<StaticServer>;

/** The path of a request without query, decoded; undefined where it is malformed. */
export function decodePath(url: string): string | undefined;
