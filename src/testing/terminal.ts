import { runCli } from "../desktop/run-cli.ts";

/** What a command line left behind. */
export interface CliOutcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process and keeps what it writes. */
export async function cli(...args: readonly string[]): Promise<CliOutcome> {
  let out = "";
  let err = "";
  const code = await runCli(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}
