import type { ChatRequest, Engine } from "../../runtime/types.ts";
import { usageError } from "../exit.ts";
import { withModel } from "../open-model.ts";
import { type Options, parseOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** `chat`: answers one question; reasoning to stderr, the answer to stdout, both as they are made. Greedy unless --temperature is given. */
export async function chatCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const options = parseOptions(args, {
    effort: { type: "string" },
    temperature: { type: "string" },
    seed: { type: "string" },
    date: { type: "string" },
    "max-new-tokens": { type: "string" },
  });
  const question = options.free.join(" ").trim();
  if (question === "")
    throw usageError('There is no question: put it last, in quotes, such as "What is 17 + 25?".');
  const request = { messages: [{ role: "user", content: question } as const], ...chatOptions(options) };
  await withModel(options, { needsText: true }, terminal, (engine) => answer(engine, request, terminal));
}

function chatOptions(options: Options) {
  const seed = options.number("seed", { least: 0, most: 2 ** 32 - 1 });
  const currentDate = options.text("date");
  const maxNewTokens = options.number("max-new-tokens", { least: 1, most: 2 ** 31 });
  return {
    reasoningEffort: options.choice("effort", ["low", "medium", "high"]) ?? "medium",
    temperature: options.number("temperature", { least: 0, most: 100, whole: false }) ?? 0,
    ...(seed === undefined ? {} : { seed }),
    ...(currentDate === undefined ? {} : { currentDate }),
    ...(maxNewTokens === undefined ? {} : { maxNewTokens }),
  } as const;
}

async function answer(engine: Engine, request: ChatRequest, { out, err }: Terminal): Promise<void> {
  let reasoned = false;
  for await (const event of engine.chat(request)) {
    switch (event.type) {
      case "reasoning":
        reasoned = true;
        err(event.text);
        break;
      case "content":
        if (reasoned) err("\n");
        reasoned = false;
        out(event.text);
        break;
      case "tool-call":
        out(`${event.name}(${event.arguments})`);
        break;
      case "done":
        if (reasoned) err("\n");
        out("\n");
        if (event.finishReason === "length") err("(cut off: the context or --max-new-tokens is used up)\n");
        break;
      default:
        event satisfies never;
    }
  }
}
