import { chatCommand } from "./commands/chat.ts";
import { generateCommand } from "./commands/generate.ts";
import { logitsCommand } from "./commands/logits.ts";
import { parseCommand } from "./commands/parse.ts";
import { renderCommand } from "./commands/render.ts";
import { exitCodeOf, exitCodes, usageError } from "./exit.ts";
import { asksForHelp } from "./options.ts";
import type { Terminal } from "./terminal.ts";

const usages = {
  logits: "logits --model DIR|nano --tokens '[1,2,3]' --out FILE [--decode]",
  generate:
    "generate --model DIR|nano --tokens '[1,2,3]' [--max-new-tokens N] [--temperature T] [--seed S] [--no-stop] [--json]",
  chat: 'chat --model DIR|nano [--effort low|medium|high] [--temperature T] [--seed S] [--max-new-tokens N] [--date YYYY-MM-DD] [--json-schema FILE | --json-object] [--max-reasoning-tokens N] [--hide-reasoning] [--stats] "question"',
  render: "render --tokenizer DIR|nano --file conversation.json [--completion] [--keep-analysis]",
  parse: "parse --tokenizer DIR|nano --tokens '[1,2,3]' [--role assistant] [--strict]",
};

const commands = {
  logits: logitsCommand,
  generate: generateCommand,
  chat: chatCommand,
  render: renderCommand,
  parse: parseCommand,
};
type CommandName = keyof typeof commands;
const names = Object.keys(commands) as CommandName[];
const withModel: readonly CommandName[] = ["logits", "generate", "chat"];
const isCommand = (name: string | undefined): name is CommandName =>
  name !== undefined && Object.hasOwn(commands, name);

const modelOptions =
  "[--tokenizer DIR] [--lora DIR] [--adapter auto|swiftshader] [--kv f32|f16] [--dense bf16|int8] [--activations f32|int8] [--variant subgroups|workgroup] [--no-matrices] [--context-length N]";

/** Help on one command, or on all. */
function usage(asked: readonly CommandName[]): string {
  const lines = ["usage:", ...asked.map((name) => `  npm run --silent cli -- ${usages[name]}`)];
  const running = asked.filter((name) => withModel.includes(name));
  const which = asked.length === 1 ? "it" : new Intl.ListFormat("en-GB").format(running);
  if (running.length > 0)
    lines.push(`${which} also ${asked.length === 1 ? "takes" : "take"} ${modelOptions}`);
  return `${lines.join("\n")}\n`;
}

/**
 * Runs one command line: logits | generate | chat | render | parse. Results go to `out` (or --out), everything else to `err`.
 * Returns the exit code; never throws.
 */
export async function runCli([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === "--help" || name === "help") {
    terminal.out(usage(names));
    return exitCodes.ok;
  }
  return exitCodeOf(async () => {
    if (!isCommand(name)) {
      throw usageError(
        `${name === undefined ? "No command was given" : `There is no command "${name}"`}; expected logits, generate, chat, render or parse (--help lists their options).`,
      );
    }
    if (asksForHelp(args)) terminal.out(usage([name]));
    else await commands[name](args, terminal);
  }, terminal);
}
