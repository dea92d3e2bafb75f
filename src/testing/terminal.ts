import { exitCodeOf } from "../desktop/exit.ts";
import { runCli } from "../desktop/run-cli.ts";
import type { Terminal } from "../desktop/terminal.ts";

/** What a command line left behind. */
export interface CliOutcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process and keeps what it writes. */
export const cli = (...args: readonly string[]): Promise<CliOutcome> =>
  recorded((terminal) => runCli(args, terminal));

/** Runs one command in this process, as its program would, and keeps what it writes. */
export const outcomeOf = (command: (terminal: Terminal) => Promise<void>): Promise<CliOutcome> =>
  recorded((terminal) => exitCodeOf(() => command(terminal), terminal));

async function recorded(program: (terminal: Terminal) => Promise<number>): Promise<CliOutcome> {
  let out = "";
  let err = "";
  const code = await program({
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}
