import { copyFileSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.mjs";
import { sendFile } from "../lib/send-file.mjs";

/** URL folder of the embedded model, relative to the page. */
const urlFolder = "models/gpt-oss-nano";

/** The checkpoint files that are needed at run time; card, samples and references stay in the repository. */
export const embeddedModelFiles = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "model.safetensors",
];

/**
 * Vite plugin: the embedded model lies at `models/gpt-oss-nano/` beside the page, in dev and in the build.
 * @type {typeof import("./embedded-model.mjs").embeddedModel}
 */
export function embeddedModel(source = join(root, urlFolder)) {
  let outDir = "";
  return {
    name: "embedded-model",
    configResolved(config) {
      outDir = config.build.outDir;
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? "").replace(/[?#].*$/s, "");
        const name = embeddedModelFiles.find((file) => path === `/${urlFolder}/${file}`);
        const file = name === undefined ? undefined : join(source, name);
        if (file === undefined || !existsSync(file)) return next();
        const { size, mtimeMs } = statSync(file);
        sendFile(request, response, { path: file, sizeBytes: size, modifiedMs: mtimeMs }).catch(next);
      });
    },
    writeBundle() {
      const target = join(outDir, urlFolder);
      mkdirSync(target, { recursive: true });
      for (const name of embeddedModelFiles) copyFileSync(join(source, name), join(target, name));
    },
  };
}
