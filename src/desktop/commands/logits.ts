import { withModel } from "../open-model.ts";
import { parseOptions, refuseFree, tokenList } from "../options.ts";
import { openOutputFile } from "../output-file.ts";
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
  // Before the work, not after it: a file that cannot be written is told at once.
  const file = await openOutputFile("out", out);
  try {
    await withModel(options, { tokens, neededTokens: tokens.length }, terminal, async (engine) => {
      const logits = await engine.logits(tokens, options.flag("decode") ? "decode" : "prefill");
      await file.write(new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
    });
  } finally {
    await file.discard();
  }
}
