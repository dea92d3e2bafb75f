import { withModel } from "../open-model.ts";
import { parseOptions, refuseFree, tokenList } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** `generate`: continues --tokens and prints the new ids, as JSON with --json. A stop token is the last id printed. */
export async function generateCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const options = parseOptions(args, {
    tokens: { type: "string" },
    "max-new-tokens": { type: "string" },
    temperature: { type: "string" },
    seed: { type: "string" },
    "no-stop": { type: "boolean" },
    json: { type: "boolean" },
  });
  refuseFree(options);
  const prompt = tokenList(options);
  const maxNewTokens = options.number("max-new-tokens", { least: 1, most: 2 ** 31 }) ?? 256;
  const temperature = options.number("temperature", { least: 0, most: 100, whole: false }) ?? 0;
  const seed = options.number("seed", { least: 0, most: 2 ** 32 - 1 });
  await withModel(
    options,
    { tokens: prompt, neededTokens: prompt.length + maxNewTokens },
    terminal,
    async (engine) => {
      const generation = engine.generate(prompt, {
        maxNewTokens,
        temperature,
        ...(seed === undefined ? {} : { seed }),
        ...(options.flag("no-stop") ? { stopTokens: [] } : {}),
      });
      const tokens: number[] = [];
      for await (const token of generation) tokens.push(token);
      const { finishReason, stats } = await generation.result;
      const text = options.flag("json")
        ? JSON.stringify({ tokens, finish_reason: finishReason, stats })
        : tokens.join(" ");
      terminal.out(`${text}\n`);
    },
  );
}
