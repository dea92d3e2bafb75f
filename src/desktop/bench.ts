// npm run bench: decode and prefill rates of a model, with the adapter's name; --json for programs.
import { benchCommand } from "./commands/bench.ts";
import { exitCodeOf } from "./exit.ts";
import { processTerminal } from "./terminal.ts";

process.exitCode = await exitCodeOf(
  () => benchCommand(process.argv.slice(2), processTerminal),
  processTerminal,
);
