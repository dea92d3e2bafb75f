import { messageJson } from "../../text/harmony-json.ts";
import { createHarmonyParser } from "../../text/harmony-parser.ts";
import { parseOptions, refuseFree, tokenList } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { tokenizerOf } from "../tokenizer-folder.ts";

const roles = ["system", "developer", "user", "assistant", "tool"] as const;

/** `parse`: prints the messages of token ids as a JSON array in openai-harmony's form; what was mended goes to `err`. */
export async function parseCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const options = parseOptions(
    args,
    {
      tokenizer: { type: "string" },
      tokens: { type: "string" },
      role: { type: "string" },
      strict: { type: "boolean" },
    },
    {},
  );
  refuseFree(options);
  const ids = tokenList(options, { least: 0 });
  const role = options.choice("role", roles);
  const parser = createHarmonyParser(await tokenizerOf(options), {
    strict: options.flag("strict"),
    ...(role === undefined ? {} : { role }),
  });
  const events = [...ids.flatMap((id) => parser.push(id)), ...parser.end()];
  for (const event of events) {
    if (event.type !== "recovery") continue;
    terminal.err(
      `recovered: ${event.what}${event.text === undefined ? "" : ` ${JSON.stringify(event.text)}`}\n`,
    );
  }
  const messages = events.flatMap((event) =>
    event.type === "message-end" ? [messageJson(event.header, event.content)] : [],
  );
  terminal.out(`${JSON.stringify(messages)}\n`);
}
