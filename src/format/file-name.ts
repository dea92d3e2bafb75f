/** Longest file name accepted. */
const maxNameChars = 255;

/**
 * True for a plain file name inside the checkpoint folder: letters, digits, `.`, `_`, `-`; no folder, no
 * scheme, no leading dot. Names come from an index file, which is untrusted.
 */
export function isPlainFileName(name: string): boolean {
  return name.length <= maxNameChars && /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) && !name.includes("..");
}
