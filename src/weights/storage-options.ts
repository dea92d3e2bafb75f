import type { StoreKind } from "./chunk-store.ts";
import type { VerifyMode } from "./verify-mode.ts";

/** How a checkpoint is fetched, kept and read back. */
export interface StorageOptions {
  /**
   * Which of the browser's stores a new model goes into: IndexedDB (the default), the origin private file system,
   * which is several times faster, or `auto`: whichever this device is faster with, measured once. A model that is
   * stored, also in part, stays where it is.
   */
  readonly store?: StoreKind | "auto";
  /**
   * How much of what is read from storage is checked against its SHA-256. Every byte is checked the first time a model
   * is read, whatever this says but `none`. After that the default is `full` for models up to 2 GiB and `sampled` for
   * larger ones, which would take two to three times as long.
   */
  readonly verify?: VerifyMode;
  /** Requests in flight while downloading, 1 to 16. Default 4; each takes 2 chunks (32 MiB) of memory at most. */
  readonly connections?: number;
}
