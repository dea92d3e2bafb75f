import { type EngineError, toEngineError } from "../errors.ts";
import { chatCommand } from "./commands/chat.ts";
import { generateCommand } from "./commands/generate.ts";
import { logitsCommand } from "./commands/logits.ts";
import { exitCodes, usageError } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

const usage = `usage:
  npm run --silent cli -- logits --model DIR --tokens '[1,2,3]' --out FILE [--decode]
  npm run --silent cli -- generate --model DIR --tokens '[1,2,3]' --max-new-tokens N [--temperature T] [--seed S] [--no-stop] [--json]
  npm run --silent cli -- chat --model DIR|nano [--effort low|medium|high] [--temperature T] [--seed S] [--date YYYY-MM-DD] "question"
each also takes [--adapter auto|swiftshader] [--kv f32|f16] [--variant subgroups|workgroup] [--context-length N]`;

const commands = { logits: logitsCommand, generate: generateCommand, chat: chatCommand };

/**
 * Runs one command line: logits | generate | chat. Results go to `out` (or --out), everything else to `err`.
 * Returns the exit code; never throws.
 */
export async function runCli([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === "--help" || name === "help") {
    terminal.out(`${usage}\n`);
    return exitCodes.ok;
  }
  try {
    if (name === undefined || !Object.hasOwn(commands, name)) {
      throw usageError(
        `${name === undefined ? "No command was given" : `There is no command "${name}"`}; expected logits, generate or chat (--help lists their options).`,
      );
    }
    await commands[name as keyof typeof commands](args, terminal);
    return exitCodes.ok;
  } catch (error) {
    return report(toEngineError(error), terminal);
  }
}

function report(error: EngineError, terminal: Terminal): number {
  terminal.err(`${error.message}\n`);
  if (error.code === "internal" && process.env.DEBUG !== undefined) terminal.err(`${error.stack}\n`);
  switch (error.code) {
    case "request-invalid":
    case "checkpoint-invalid":
    case "tokenizer-invalid":
    case "context-overflow":
      return exitCodes.badInput;
    case "adapter-unavailable":
      return exitCodes.noAdapter;
    default:
      return exitCodes.failed;
  }
}
