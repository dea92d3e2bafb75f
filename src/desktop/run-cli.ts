import { chatCommand } from "./commands/chat.ts";
import { generateCommand } from "./commands/generate.ts";
import { logitsCommand } from "./commands/logits.ts";
import { exitCodeOf, exitCodes, usageError } from "./exit.ts";
import { asksForHelp } from "./options.ts";
import type { Terminal } from "./terminal.ts";

const usages = {
  logits: "logits --model DIR --tokens '[1,2,3]' --out FILE [--decode]",
  generate:
    "generate --model DIR --tokens '[1,2,3]' [--max-new-tokens N] [--temperature T] [--seed S] [--no-stop] [--json]",
  chat: 'chat --model DIR|nano [--effort low|medium|high] [--temperature T] [--seed S] [--max-new-tokens N] [--date YYYY-MM-DD] "question"',
};

/** Help on one command, or on all. */
const usage = (names: readonly (keyof typeof usages)[]) =>
  [
    "usage:",
    ...names.map((name) => `  npm run --silent cli -- ${usages[name]}`),
    `${names.length > 1 ? "each" : "it"} also takes [--tokenizer DIR] [--lora DIR] [--adapter auto|swiftshader] [--kv f32|f16] [--variant subgroups|workgroup] [--context-length N]`,
    "",
  ].join("\n");

const commands = { logits: logitsCommand, generate: generateCommand, chat: chatCommand };
type CommandName = keyof typeof commands;
const isCommand = (name: string | undefined): name is CommandName =>
  name !== undefined && Object.hasOwn(commands, name);

/**
 * Runs one command line: logits | generate | chat. Results go to `out` (or --out), everything else to `err`.
 * Returns the exit code; never throws.
 */
export async function runCli([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === "--help" || name === "help") {
    terminal.out(usage(["logits", "generate", "chat"]));
    return exitCodes.ok;
  }
  return exitCodeOf(async () => {
    if (!isCommand(name)) {
      throw usageError(
        `${name === undefined ? "No command was given" : `There is no command "${name}"`}; expected logits, generate or chat (--help lists their options).`,
      );
    }
    if (asksForHelp(args)) terminal.out(usage([name]));
    else await commands[name](args, terminal);
  }, terminal);
}
