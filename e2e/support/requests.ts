import type { RequestRecord } from "../../scripts/lib/static-server.mjs";

/** Bytes [start, end) that a request asked for. */
export interface AskedRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The ranges of weights that were asked for, in order, without the two-byte question for a file's size.
 */
export function askedRanges(requests: readonly RequestRecord[]): AskedRange[] {
  return requests
    .filter(({ path }) => path.endsWith(".safetensors"))
    .map(({ range }) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
      if (first === undefined || last === undefined)
        throw new Error(`weights were asked for with range ${range}`);
      return { start: Number(first), end: Number(last) + 1 };
    })
    .filter(({ start, end }) => end - start > 2);
}

/** Everything asked for below a folder of models. */
export function modelRequests(requests: readonly RequestRecord[]): string[] {
  return requests.map(({ path }) => path).filter((path) => path.startsWith("/models/"));
}
