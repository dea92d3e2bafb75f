// npm run bench: decode and prefill tokens per second in Node. stdout is the program's alone.
import { runMain } from "./lib/fail.mjs";
import { launch } from "./lib/launch.mjs";

await runMain(() => launch("bench"));
