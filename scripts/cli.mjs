// npm run --silent cli -- logits|generate|chat …: the engine in Node. stdout is the program's alone.
import { runMain } from "./lib/fail.mjs";
import { launch } from "./lib/launch.mjs";

await runMain(() => launch("cli"));
