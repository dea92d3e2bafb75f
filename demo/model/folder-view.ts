import type { PickedFolder } from "../../src/index.ts";
import { formatBytes } from "../format.ts";

/** What was found in a picked folder, for people. */
export interface FolderView {
  readonly name: string;
  readonly text: string;
  /** False where loading it would fail. */
  readonly isComplete: boolean;
}

type Found = Pick<
  PickedFolder,
  "name" | "folder" | "weightFiles" | "totalBytes" | "missing" | "extra" | "hasTokenizer"
>;

export function folderView(found: Found): FolderView {
  const { missing, extra, weightFiles, totalBytes, hasTokenizer } = found;
  const name = found.folder === "" ? found.name : `${found.name}/${found.folder}`;
  const files = weightFiles.length === 1 ? "1 weight file" : `${weightFiles.length} weight files`;
  const sentences = [
    missing.length === 0
      ? `${name}: ${files}, ${formatBytes(totalBytes)}.`
      : `${name} is not complete. Missing: ${listed(missing)}. Put the files there and choose the folder again.`,
  ];
  if (!hasTokenizer) sentences.push("There is no tokenizer.json, so it can be loaded but not talked to.");
  if (extra.length > 0) sentences.push(`Not part of it, and not read: ${listed(extra)}.`);
  return { name, text: sentences.join(" "), isComplete: missing.length === 0 };
}

function listed(names: readonly string[]): string {
  const most = 4;
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  return names.slice(0, most).join(", ") + more;
}
