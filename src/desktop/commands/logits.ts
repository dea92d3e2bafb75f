import { stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { usageError } from "../exit.ts";
import { withModel } from "../open-model.ts";
import { parseOptions, refuseFree, tokenList } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** `logits`: writes float32 little-endian logits [T, V] of every position to --out; --decode takes the decode kernels. */
export async function logitsCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const options = parseOptions(args, {
    tokens: { type: "string" },
    out: { type: "string" },
    decode: { type: "boolean" },
  });
  refuseFree(options);
  const tokens = tokenList(options);
  const out = options.required("out");
  await checkTarget(out);
  await withModel(options, { tokens, neededTokens: tokens.length }, terminal, async (engine) => {
    const logits = await engine.logits(tokens, options.flag("decode") ? "decode" : "prefill");
    await writeFile(out, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
  });
}

/** Finds out before the work, not after it, that the file cannot be written. @throws request-invalid */
async function checkTarget(out: string): Promise<void> {
  const isFolder = async (path: string) => (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (!(await isFolder(dirname(out)))) throw usageError(`--out names ${out}, whose folder does not exist.`);
  if (await isFolder(out)) throw usageError(`--out must be a file, but ${out} is a folder.`);
}
