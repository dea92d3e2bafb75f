import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "vite";
import { repositoryPath } from "../../src/testing/reference.ts";

/** The built page's scripts in `folder`, the worker's replaced by the scripted one: serve it at `/assets/`. */
export async function scriptedAssets(folder: string): Promise<string> {
  await cp(repositoryPath("dist/page/assets"), folder, { recursive: true });
  const workers = (await readdir(folder)).filter((name) => /^worker-[\w-]+\.js$/.test(name));
  if (workers.length === 0) throw new Error("The page has no script of the engine's worker.");
  const out = join(folder, "scripted");
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      outDir: out,
      target: "es2022",
      lib: {
        entry: repositoryPath("e2e/harness/scripted-worker.ts"),
        formats: ["es"],
        fileName: "scripted",
      },
    },
  });
  // The benchmark's worker is named alike, and not used here.
  for (const name of workers) await cp(join(out, "scripted.js"), join(folder, name));
  return folder;
}
