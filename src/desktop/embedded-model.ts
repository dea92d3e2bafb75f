import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError } from "../errors.ts";

/** The embedded model's folder: the nearest `models/gpt-oss-nano` above this program, built or not. @throws checkpoint-invalid */
export function nanoFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, "models", "gpt-oss-nano");
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder))
      throw new EngineError(
        "checkpoint-invalid",
        "The embedded model (models/gpt-oss-nano) was not found beside this program.",
      );
  }
}
