// npm run build: the page (dist/page), the library (dist/lib, dist/types) and the Node programs (dist/node).
import { ensureBuilt } from "./lib/ensure-built.mjs";
import { ensureInstalled } from "./lib/ensure-installed.mjs";
import { runMain } from "./lib/fail.mjs";

await runMain(async () => {
  await ensureInstalled();
  await ensureBuilt("page", "lib", "node");
});
