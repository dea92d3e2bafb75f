import type { Pause } from "../weights/pause.ts";
import type { ByteProgress } from "../weights/types.ts";
import { type AloneOptions, type AloneServices, alone } from "./alone.ts";
import type { SharedProgress } from "./shared-progress.ts";

/** What of a download the other tabs see and steer. */
export interface SharedRun {
  readonly onProgress: (progress: ByteProgress) => void;
  readonly pause: Pause;
}

export interface SharedDownloadOptions extends SharedRun {
  readonly policy: AloneOptions["policy"];
  /** Told once this tab is the one that downloads. */
  readonly onLead?: ((id: string) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Runs a download that one tab does and the others see: those wait, are refused or take it over, as `policy` says.
 * @throws busy with reason `model-in-other-tab` | `model-taken-over` | aborted | what `work` throws
 */
export async function sharedDownload<T>(
  services: AloneServices,
  id: string,
  { policy, onLead, signal, ...run }: SharedDownloadOptions,
  work: (run: { onProgress: (progress: ByteProgress) => void; signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const other = watchOtherTab(services.shared, id, run);
  try {
    return await alone(services, id, { policy, onWaiting: other.onWaiting, signal }, async (signal) => {
      other.onTaken();
      onLead?.(id);
      const leader = services.shared.lead(id, run.pause);
      const onProgress = (progress: ByteProgress) => {
        leader.tell(progress);
        run.onProgress(progress);
      };
      try {
        return await work({ onProgress, signal });
      } finally {
        leader.stop();
      }
    });
  } finally {
    other.stop();
  }
}

/** Shows what another tab does while this one waits. */
export interface OtherTabWatch {
  /** This tab begins to wait. */
  onWaiting(): void;
  /** It waits no longer: the model is its own. */
  onTaken(): void;
  stop(): void;
}

/** Reports the progress of the tab that downloads the model; a pause in either tab is one in both. */
export function watchOtherTab(
  shared: SharedProgress,
  id: string,
  { onProgress, pause }: SharedRun,
): OtherTabWatch {
  let last: ByteProgress | undefined;
  let stop = () => {};

  function show(): void {
    const waiting = "waiting-for-other-tab";
    if (last !== undefined) {
      const state = pause.isPaused ? "paused" : waiting;
      onProgress({ ...last, state, inOtherTab: true });
    } else onProgress({ phase: "download", state: waiting, loadedBytes: 0, totalBytes: 0, file: "" });
  }

  return {
    onWaiting() {
      show();
      const unwatch = pause.watch(show);
      const unfollow = shared.follow(id, pause, (progress) => {
        last = progress;
        show();
      });
      stop = () => {
        unfollow();
        unwatch();
      };
    },
    onTaken() {
      stop();
      // At once: what is missing is found out first, and that takes a moment.
      if (last !== undefined) onProgress({ ...last, state: pause.isPaused ? "paused" : "running" });
    },
    stop: () => stop(),
  };
}
