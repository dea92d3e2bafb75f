// All GPU tests as one program: node dist/standalone/gpu-tests.mjs [part of a test's name] [--shard 1/4]. TEST_ADAPTER=auto takes
// the GPU; a shard has every so many of the files, so that several processes share the work.
import { parseArgs } from "node:util";
import { declareFile, runAll } from "./vitest-stand-in.ts";

const { values, positionals } = parseArgs({
  options: { shard: { type: "string", default: "1/1" } },
  allowPositionals: true,
});
const [, index = 0, count = 0] = (/^(\d+)\/(\d+)$/.exec(values.shard) ?? []).map(Number);
if (index < 1 || index > count)
  throw new Error(`--shard: expected a number of a count, such as 1/4, got ${values.shard}`);

const files = Object.entries(import.meta.glob("../../src/**/*.gpu.test.ts"));
for (const [path, load] of files.filter((_, i) => i % count === index - 1))
  await declareFile(path.replace("../../src/", ""), load);
const failed = await runAll(positionals[0] ?? "");
process.exit(failed === 0 ? 0 : 1);
