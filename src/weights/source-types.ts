/** A folder on the web, by its address. Pages of Hugging Face repositories are taken as `HubLocation`. */
export interface UrlLocation {
  /** Address of the folder that holds config.json. A relative one is resolved against the page. */
  readonly baseUrl: string;
}

/** A repository on Hugging Face, or on a mirror of it. */
export interface HubLocation {
  /** `org/name`, `org/name@revision` or `org/name/folder@revision`; `hf:` may stand in front. Default revision: main. */
  readonly hf: string;
  /** Access token for gated and private repositories. Sent to `endpoint` only, and never stored. */
  readonly token?: string;
  /** Address of the hub. Default https://huggingface.co. */
  readonly endpoint?: string;
  /** Asks again which commit the revision names, instead of keeping to the one that is stored. Default false. */
  readonly refresh?: boolean;
}

/** Files that the user picked (`<input type="file" webkitdirectory>`) or dropped: one checkpoint folder. */
export interface FilesLocation {
  readonly files: readonly File[];
  /**
   * Path of each file inside what was picked, with `/` between. Default: its `webkitRelativePath`, which the engine notes
   * before it sends the files to its worker, or its name.
   */
  readonly paths?: readonly string[];
  /** Copies the checkpoint into this browser's storage, so that it loads without the folder later. Default false. */
  readonly import?: boolean;
}

/** A folder that the user picked with `showDirectoryPicker`. */
export interface DirectoryLocation {
  readonly directory: FileSystemDirectoryHandle;
  /** As in `FilesLocation`. */
  readonly import?: boolean;
}

/** A model that lies in this browser's storage already, such as one imported from a folder. */
export interface StoredLocation {
  /** Its id, as `models()` lists it. */
  readonly stored: string;
}

/** Where the files of a checkpoint, a tokenizer or an adapter lie. Survives structured clone. */
export type SourceLocation = UrlLocation | HubLocation | FilesLocation | DirectoryLocation | StoredLocation;

/** What a source may say beside its place. */
export interface SourceOptions {
  /** Key under which it is stored. Default: address, `hf:org/name@commit`, or the folder's name with a fingerprint. */
  readonly id?: string;
  /** Bytes of one stored chunk, 4 MiB to 32 MiB. Default 16 MiB. A stored model keeps the size it began with. */
  readonly chunkBytes?: number;
  /** Where tokenizer.json is, for a checkpoint without one (OpenAI's `original/` layout). */
  readonly tokenizer?: SourceLocation;
  /** A PEFT LoRA adapter (adapter_config.json, adapter_model.safetensors) to be merged while the weights load. */
  readonly lora?: SourceLocation;
}

/** A checkpoint to load. */
export type ModelSource = SourceLocation & SourceOptions;

/** The path of each picked file. */
export const pathsOf = ({ files, paths }: FilesLocation): readonly string[] =>
  files.map((file, i) => paths?.[i] ?? (file.webkitRelativePath || file.name));

/** A source in a few words, for messages and tests. */
export function describeSource(source: SourceLocation): string {
  if ("baseUrl" in source) return source.baseUrl;
  if ("hf" in source) return source.hf.startsWith("hf:") ? source.hf : `hf:${source.hf}`;
  if ("stored" in source) return source.stored;
  if ("directory" in source) return `folder ${source.directory.name}`;
  return `${source.files.length} picked files`;
}
