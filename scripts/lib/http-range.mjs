/**
 * Reads a Range header against a body of `sizeBytes` (RFC 9110, section 14).
 * A header that is absent, malformed, in another unit or names several ranges asks for the whole body.
 * @param {string | undefined} header
 * @param {number} sizeBytes
 * @returns {{ start: number, end: number } | "whole" | "unsatisfiable"} bytes [start, end)
 */
export function parseRange(header, sizeBytes) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(" ", "") ?? "");
  if (match === null) return "whole";
  const [, first = "", last = ""] = match;
  if (first === "") return parseSuffix(last, sizeBytes);
  const start = Number(first);
  if (last !== "" && Number(last) < start) return "whole";
  if (start >= sizeBytes) return "unsatisfiable";
  return { start, end: last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

/**
 * @param {string} last digits after `bytes=-`: how many bytes from the end
 * @param {number} sizeBytes
 */
function parseSuffix(last, sizeBytes) {
  if (last === "") return "whole";
  const count = Math.min(Number(last), sizeBytes);
  return count === 0 ? "unsatisfiable" : { start: sizeBytes - count, end: sizeBytes };
}
