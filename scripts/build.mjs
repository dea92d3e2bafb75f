// npm run build: the page (dist/page), the library (dist/lib, dist/types) and the Node programs (dist/node).
import { parseArgs } from "node:util";
import { ensureBuilt } from "./lib/ensure-built.mjs";
import { ensureInstalled } from "./lib/ensure-installed.mjs";
import { runMain } from "./lib/fail.mjs";

const usage = "npm run build: builds the page, the library and the Node programs into dist/.";

await runMain(async () => {
  const { values } = parseArgs({ options: { help: { type: "boolean" } } });
  if (values.help) return console.log(usage);
  await ensureInstalled();
  await ensureBuilt("page", "lib", "node");
});
