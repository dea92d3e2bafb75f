import { copyFileSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { sendFile } from "../lib/send-file.mjs";

/**
 * Vite plugin: some files of a folder lie under a URL folder beside the page, in dev and in the build.
 * @type {typeof import("./served-files.mjs").servedFiles}
 */
export function servedFiles({ name, urlFolder, source, files }) {
  let outDir = "";
  return {
    name,
    configResolved(config) {
      outDir = config.build.outDir;
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? "").replace(/[?#].*$/s, "");
        const wanted = files.find((file) => path === `/${urlFolder}/${file}`);
        const file = wanted === undefined ? undefined : join(source, wanted);
        if (file === undefined || !existsSync(file)) return next();
        const { size, mtimeMs } = statSync(file);
        sendFile(request, response, { path: file, sizeBytes: size, modifiedMs: mtimeMs }).catch(next);
      });
    },
    writeBundle() {
      const target = join(outDir, urlFolder);
      mkdirSync(target, { recursive: true });
      for (const file of files) copyFileSync(join(source, file), join(target, file));
    },
  };
}
