import { writeFile } from "node:fs/promises";
import { withModel } from "../open-model.ts";
import { parseOptions, tokenList } from "../options.ts";

/** `logits`: writes float32 little-endian logits [T, V] of every position to --out; --decode takes the decode kernels. */
export async function logitsCommand(args: readonly string[]): Promise<void> {
  const options = parseOptions(args, {
    tokens: { type: "string" },
    out: { type: "string" },
    decode: { type: "boolean" },
  });
  const tokens = tokenList(options);
  const out = options.required("out");
  await withModel(options, { tokens, neededTokens: tokens.length }, async (engine) => {
    const logits = await engine.logits(tokens, options.flag("decode") ? "decode" : "prefill");
    await writeFile(out, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
  });
}
