import { EngineError } from "../errors.ts";
import type { StoredModelSummary } from "./models.ts";

/** What a download still needs, and what else takes room. */
export interface RoomFacts {
  readonly id: string;
  readonly neededBytes: number;
  readonly totalBytes: number;
  readonly models: readonly StoredModelSummary[];
}

/**
 * The error of a download that the browser has no room for: says how much is missing and which other models take how
 * much. (The free space that browsers report is made up, so nothing is refused beforehand and no figure of it is told.)
 */
export function storageFullError(error: EngineError, { id, neededBytes, totalBytes, models }: RoomFacts) {
  const others = models.filter((model) => model.id !== id && model.storedBytes > 0);
  const needed = `${formatBytes(neededBytes)} of ${formatBytes(totalBytes)} are still to be stored`;
  const listed = others.map((model) => `${model.id} (${formatBytes(model.storedBytes)})`).join(", ");
  const advice =
    others.length === 0 ? "Free disk space" : `Free disk space or delete another stored model: ${listed}`;
  return new EngineError(
    "storage-full",
    `The browser has no more room: ${needed}. ${advice}; then try again. What is stored is kept.`,
    {
      details: {
        ...error.details,
        neededBytes,
        totalBytes,
        otherModels: others.map((model) => model.id),
        otherModelBytes: others.map((model) => model.storedBytes),
      },
      cause: error,
    },
  );
}

function formatBytes(numBytes: number): string {
  return numBytes >= 1e9 ? `${(numBytes / 1e9).toFixed(1)} GB` : `${(numBytes / 1e6).toFixed(1)} MB`;
}
