/** A checkpoint folder that can be read: a web address, a browser store, or a folder on disk. */
export interface CheckpointFiles {
  /** Names this checkpoint in messages and as a storage key. */
  readonly id: string;
  /** A whole small file (config.json, tokenizer.json, an index); `undefined` where the file does not exist. */
  readText(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /** Size of a file in bytes. @throws download-failed | checkpoint-invalid */
  sizeBytes(name: string, signal?: AbortSignal): Promise<number>;
  /** Exactly the bytes [startBytes, endBytes) of a file; the caller owns the array. */
  read(name: string, startBytes: number, endBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Like `read`, but into the caller's memory, which saves making and collecting it; fills all of `target`, and touches nothing
   * of it once it has settled. Several calls may run at once. Memory that may go away meanwhile is the caller's affair
   * (`Staging.fill`). Absent where it would save nothing.
   */
  readInto?(name: string, startBytes: number, target: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Gives back what reading holds open (file handles, chunks read in part). Reading again opens it again. */
  close?(): Promise<void>;
}

/** What a server says about a file; together it stands for the file's content while it is fetched in parts. */
export interface FileStat {
  readonly sizeBytes: number;
  /** The ETag header as sent; `undefined` where there is none or CORS hides it. */
  readonly etag: string | undefined;
  /** The Last-Modified header as sent. */
  readonly lastModified?: string | undefined;
  /** SHA-256 of the whole file in lower-case hex, where the source publishes it: what is stored must match. */
  readonly sha256?: string | undefined;
}

/** A checkpoint folder on a server. */
export interface RemoteFiles extends CheckpointFiles {
  /** Asks the server, never a cache. @throws download-failed */
  stat(name: string, signal?: AbortSignal): Promise<FileStat>;
  /** Like `read`; `onBytes` is told of each piece as it arrives, never of the same byte twice. */
  fetchRange(name: string, range: ByteRange, options?: FetchRangeOptions): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * What the source's own listing says a file must be, whatever the server of its bytes sends; undefined where it says
   * nothing. Absent for a source without a listing.
   */
  expected?(name: string, signal?: AbortSignal): Promise<ExpectedFile | undefined>;
  /** What a model that is stored already is given from here. Absent where a stored model is to be left as it is. */
  readonly laterTexts?: TextSource;
}

/** Where small files about text come from for a model that is stored already: its tokenizer's place, an imported folder. */
export interface TextSource {
  /** Whether it replaces files that are stored (an import does); otherwise it is asked only where the tokenizer is lacking. */
  readonly replaces: boolean;
  readText(name: string, signal?: AbortSignal): Promise<string | undefined>;
}

/** What a file must be, from a source that is pinned. */
export interface ExpectedFile {
  readonly sizeBytes: number;
  /** SHA-256 of the whole file in lower-case hex; undefined where the listing has none (small files of a git repository). */
  readonly sha256: string | undefined;
}

/** Bytes [startBytes, endBytes) of a file. */
export interface ByteRange {
  readonly startBytes: number;
  readonly endBytes: number;
}

export interface FetchRangeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (numBytes: number) => void;
  /** Told where the next try is seconds away: the server is overloaded, or asked for it. */
  readonly onWait?: () => void;
  /** Holds the transfer up and lets it go on where it stopped. */
  readonly pause?: PauseSwitch | undefined;
}

/** A transfer's pause: read by whoever transfers, switched by the user. */
export interface PauseSwitch {
  readonly isPaused: boolean;
  /** Fires at the next pause. */
  readonly signal: AbortSignal;
  /** Resolves once nothing is paused. @throws aborted */
  resumed(signal?: AbortSignal): Promise<void>;
}

/**
 * Monotone progress of a download, a load or a check, in bytes; `loadedBytes` ends equal to `totalBytes`. Where two
 * tabs want the same model, one downloads and the other is told the same figures.
 */
export interface ByteProgress {
  readonly phase: "download" | "load" | "verify" | "export";
  /**
   * `running` (the default); `paused` by `pauseDownload`; `waiting-for-other-tab`: another tab of this site downloads
   * this model (the figures are its own) or has it on the GPU, and this one goes on when that tab closes
   * (while the download that another tab does is paused, from whichever tab, that is `paused` too);
   * `waiting-for-server`: it is overloaded or asked for a wait of seconds to minutes, after which this goes on.
   */
  readonly state?: "running" | "paused" | "waiting-for-other-tab" | "waiting-for-server";
  /** True where the figures are of another tab's download. */
  readonly inOtherTab?: true;
  /** Bytes per second over the last seconds; absent until it is known and while nothing moves. */
  readonly bytesPerSecond?: number;
  /** Seconds to the end of this phase at that rate. */
  readonly remainingSeconds?: number;
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** The file being worked on. */
  readonly file: string;
}
