import { EngineError } from "../errors.ts";
import { adapterConfigName, adapterWeightsName } from "../format/adapter-config.ts";
import { configName } from "../format/config.ts";
import { parseShardIndex, shardIndexName, singleShardName } from "../format/shard-index.ts";
import { hexDigest } from "./chunks.ts";
import { readPickedText } from "./picked-read.ts";
import { type DirectoryLocation, type FilesLocation, pathsOf } from "./source-types.ts";
import { originalFolderName, tokenizerName } from "./tokenizer-source.ts";

/** The checkpoint in what a user picked: which files it has, which it lacks, which do not belong to it. */
export interface PickedFolder {
  /** Name of the picked folder, `folder` where picked files have none. */
  readonly name: string;
  /** Where config.json lies inside it; empty for the top. */
  readonly folder: string;
  /** The files of that folder, by name. */
  readonly files: ReadonlyMap<string, File>;
  /** Files about text from the folder above, for `original/`. */
  readonly filesAbove: ReadonlyMap<string, File>;
  /** Weight files in the order of the index. */
  readonly weightFiles: readonly string[];
  /** Bytes of the weight files that are there. */
  readonly totalBytes: number;
  /** Weight files that the index names and that are not there. */
  readonly missing: readonly string[];
  /** Weight files that are there but that the index does not name: they are not read. */
  readonly extra: readonly string[];
  readonly hasTokenizer: boolean;
}

/** What a folder is looked at for, and the file by which it is known. */
const marks = { checkpoint: configName, tokenizer: tokenizerName, adapter: adapterConfigName } as const;
export type PickedPurpose = keyof typeof marks;

/** Files by their path inside the picked folder, with `/` between. */
type FilesByPath = ReadonlyMap<string, File>;

/** Folders are searched this deep: the picked one, and one inside it (`original`, a download folder). */
const maxDepth = 2;

/**
 * Looks at a picked folder: which checkpoint (or tokenizer, or adapter) it holds and whether it is complete. Reads the
 * index only.
 * @throws checkpoint-invalid where there is no config.json, or several to choose from; request-invalid
 */
export async function inspectFolder(
  location: FilesLocation | DirectoryLocation,
  purpose: PickedPurpose = "checkpoint",
): Promise<PickedFolder> {
  const { name, paths } = "directory" in location ? await walk(location.directory) : byPath(location);
  const folder = markedFolder(name, [...paths.keys()], purpose);
  const files = filesIn(paths, folder);
  const filesAbove = folder === originalFolderName ? filesIn(paths, "") : new Map<string, File>();
  const weightFiles = await listedWeights(files, purpose);
  const present = [...files.keys()].filter((file) => file.endsWith(".safetensors"));
  return {
    name,
    folder,
    files,
    filesAbove,
    weightFiles,
    totalBytes: weightFiles.reduce((sum, file) => sum + (files.get(file)?.size ?? 0), 0),
    missing: weightFiles.filter((file) => !files.has(file)),
    extra: present.filter((file) => !weightFiles.includes(file)),
    hasTokenizer: files.has(tokenizerName) || filesAbove.has(tokenizerName),
  };
}

/**
 * A key for what was picked: `folder:NAME#` and 16 hex digits over config.json and the names, sizes and times of change
 * of the weight files. Two folders of one name do not meet in the store.
 */
export async function pickedId({ name, folder, files, weightFiles }: PickedFolder): Promise<string> {
  const config = files.get(configName);
  const facts = {
    config: config === undefined ? "" : await readPickedText(configName, config),
    weights: weightFiles.map((file) => [file, files.get(file)?.size, files.get(file)?.lastModified]),
  };
  const digest = await hexDigest("SHA-256", new TextEncoder().encode(JSON.stringify(facts)));
  return `folder:${folder === "" ? name : `${name}/${folder}`}#${digest.slice(0, 16)}`;
}

/** The weight files of a checkpoint: those of the index, or the one file of a checkpoint without index. */
async function listedWeights(
  files: ReadonlyMap<string, File>,
  purpose: PickedPurpose,
): Promise<readonly string[]> {
  if (purpose === "tokenizer") return [];
  if (purpose === "adapter") return [adapterWeightsName];
  const index = files.get(shardIndexName);
  if (index === undefined) return [singleShardName];
  return parseShardIndex(await readPickedText(shardIndexName, index)).files;
}

/** The folder that has the mark of its purpose: the top, or else the only one. */
function markedFolder(name: string, paths: readonly string[], purpose: PickedPurpose): string {
  const mark = marks[purpose];
  const folders = paths.filter((path) => path.split("/").at(-1) === mark).map(folderOf);
  if (folders.includes("")) return "";
  const [folder, ...others] = folders;
  if (folder !== undefined && others.length === 0) return folder;
  const problem =
    folder === undefined
      ? `has no ${mark} (found: ${listed(paths) || "nothing"})`
      : `holds ${mark} several times (in ${listed(folders)}): pick one of these folders`;
  throw new EngineError(
    "checkpoint-invalid",
    `The folder ${name} ${problem}; expected ${expected[purpose]}.`,
    {
      details: { folder: name, file: mark },
    },
  );
}

const expected: Readonly<Record<PickedPurpose, string>> = {
  checkpoint: "the folder of a gpt-oss checkpoint (config.json, tokenizer.json, *.safetensors)",
  tokenizer: "a folder with the tokenizer of gpt-oss",
  adapter: "the folder of a LoRA adapter (adapter_config.json, adapter_model.safetensors)",
};

function listed(names: readonly string[]): string {
  const most = 6;
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  return names.slice(0, most).join(", ") + more;
}

const folderOf = (path: string): string => path.split("/").slice(0, -1).join("/");

function filesIn(paths: FilesByPath, folder: string): Map<string, File> {
  const inside = [...paths].filter(([path]) => folderOf(path) === folder);
  return new Map(inside.map(([path, file]) => [path.split("/").at(-1) ?? path, file]));
}

interface Picked {
  readonly name: string;
  readonly paths: FilesByPath;
}

/** Picked files by path. Those of `<input webkitdirectory>` carry the picked folder's name in front, which is cut off. */
function byPath(location: FilesLocation): Picked {
  const names = pathsOf(location);
  const paths = location.files.map((file, i) => [names[i] ?? file.name, file] as const);
  const [first] = paths[0]?.[0].split("/") ?? [];
  const isFolder = paths.every(([path]) => path.includes("/") && path.startsWith(`${first}/`));
  const cut = isFolder && first !== undefined ? first.length + 1 : 0;
  const near = paths
    .map(([path, file]) => [path.slice(cut), file] as const)
    .filter(([path]) => path.split("/").length <= maxDepth);
  return { name: cut > 0 && first !== undefined ? first : "folder", paths: new Map(near) };
}

async function walk(directory: FileSystemDirectoryHandle): Promise<Picked> {
  const paths = new Map<string, File>();
  const visit = async (handle: FileSystemDirectoryHandle, prefix: string, depth: number): Promise<void> => {
    for await (const [name, entry] of handle.entries()) {
      if (entry.kind === "file") paths.set(prefix + name, await (entry as FileSystemFileHandle).getFile());
      else if (depth < maxDepth)
        await visit(entry as FileSystemDirectoryHandle, `${prefix}${name}/`, depth + 1);
    }
  };
  try {
    await visit(directory, "", 1);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(
      "request-invalid",
      `Cannot read the folder ${directory.name} (${reason}); pick it again, and allow this page to read it.`,
      { details: { folder: directory.name }, cause },
    );
  }
  return { name: directory.name, paths };
}
