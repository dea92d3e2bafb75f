import type { ByteProgress } from "../../src/index.ts";
import { formatBytes } from "../format.ts";

/** Work that has a progress, for people. */
export interface Work {
  /** The model's name. */
  readonly name: string;
  /** `copy` is the download of a folder that is imported. */
  readonly kind: "load" | "download" | "copy" | "verify" | "repair" | "export" | "delete";
  readonly progress: ByteProgress | undefined;
}

/** What the progress bar and its buttons show. */
export interface ProgressView {
  readonly title: string;
  readonly figures: string;
  /** Undefined while nothing is known of the length. */
  readonly loadedBytes: number | undefined;
  readonly totalBytes: number;
  /** Which way the pause button goes; undefined where nothing can be paused. */
  readonly pause: "pause" | "resume" | undefined;
  /** True where another tab has the model and this one may take it. */
  readonly canTakeOver: boolean;
}

export function progressView({ name, kind, progress }: Work): ProgressView {
  if (progress === undefined) {
    const title = kind === "load" || kind === "download" ? `Starting: ${name}` : workTitle(kind, name);
    return {
      ...{ title, figures: "", loadedBytes: undefined, totalBytes: 1 },
      ...{ pause: undefined, canTakeOver: false },
    };
  }
  const { phase, state = "running", inOtherTab = false, loadedBytes, totalBytes } = progress;
  const isWaiting = state === "waiting-for-other-tab" || inOtherTab;
  // What another tab has fetched, it may still load.
  const canPause = phase === "download" && (!isWaiting || loadedBytes < totalBytes);
  const isKnown = totalBytes > 0;
  return {
    title: title({ name, kind }, progress),
    figures: isKnown ? figures(progress) : "",
    loadedBytes: isKnown ? loadedBytes : undefined,
    totalBytes: Math.max(totalBytes, 1),
    pause: !canPause || !isKnown ? undefined : state === "paused" ? "resume" : "pause",
    canTakeOver: isWaiting && kind === "load",
  };
}

function title({ name, kind }: Pick<Work, "name" | "kind">, progress: ByteProgress): string {
  const { phase, state = "running", loadedBytes, totalBytes } = progress;
  if (state === "waiting-for-other-tab") {
    return totalBytes > 0 ? `Another tab fetches ${name}` : `Waiting: another tab uses ${name}`;
  }
  if (state === "paused") return `Paused: ${name}`;
  if (state === "waiting-for-server") return `Waiting: the server is busy (${name})`;
  if (kind === "repair") return workTitle(kind, name);
  switch (phase) {
    case "download":
      return workTitle(kind === "copy" ? "copy" : "download", name);
    case "load":
      // The driver compiles the kernels meanwhile, and reports nothing.
      return loadedBytes < totalBytes ? "Loading onto the graphics card" : "Preparing the graphics card…";
    case "verify":
    case "export":
      return workTitle(phase, name);
    default:
      return phase satisfies never;
  }
}

const titles: Readonly<Record<Work["kind"], string>> = {
  load: "Loading",
  download: "Downloading",
  copy: "Copying into this browser:",
  verify: "Checking",
  repair: "Repairing",
  export: "Exporting",
  delete: "Deleting",
};

const workTitle = (kind: Work["kind"], name: string): string => `${titles[kind]} ${name}`;

function figures({ loadedBytes, totalBytes, bytesPerSecond, remainingSeconds }: ByteProgress): string {
  const percent = Math.floor((loadedBytes / totalBytes) * 100);
  const parts = [`${formatBytes(loadedBytes)} of ${formatBytes(totalBytes)} (${percent} %)`];
  if (bytesPerSecond !== undefined) parts.push(`${formatBytes(bytesPerSecond)}/s`);
  if (remainingSeconds !== undefined) parts.push(`${formatDuration(remainingSeconds)} left`);
  return parts.join(" · ");
}

/** Seconds for people, rounded up: 1 h 20 min. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * What a screen reader is told when the view changes: each new title, and every tenth of the way. Undefined where that
 * is nothing.
 */
export function announcement(before: ProgressView | undefined, now: ProgressView): string | undefined {
  const tenth = tenthOf(now);
  if (before?.title === now.title && tenthOf(before) === tenth) return undefined;
  return tenth === undefined || before?.title !== now.title ? now.title : `${now.title}: ${tenth * 10} %`;
}

function tenthOf({ loadedBytes, totalBytes }: ProgressView): number | undefined {
  return loadedBytes === undefined ? undefined : Math.floor((loadedBytes / totalBytes) * 10);
}
