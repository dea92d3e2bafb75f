// All GPU tests as one program: node dist/standalone/gpu-tests.mjs [part of a test's name]. TEST_ADAPTER=auto takes the GPU.
import { declareFile, runAll } from "./vitest-stand-in.ts";

const files = import.meta.glob("../../src/**/*.gpu.test.ts");
for (const [path, load] of Object.entries(files)) await declareFile(path.replace("../../src/", ""), load);
const failed = await runAll(process.argv[2] ?? "");
process.exit(failed === 0 ? 0 : 1);
