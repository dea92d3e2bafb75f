import { byId } from "../dom.ts";
import { announcement, type ProgressView, progressView, type Work } from "./progress-view.ts";

export interface ProgressPanelOptions {
  readonly onPause: () => void;
  readonly onResume: () => void;
  readonly onCancel: () => void;
  /** The model is to be taken from the tab that has it. */
  readonly onTakeOver: () => void;
  /** Tells a screen reader. */
  readonly announce: (text: string) => void;
}

/** The bar at the top: what is under way, how fast, how long still, and the buttons that steer it. */
export interface ProgressPanel {
  /** Undefined hides it. */
  show(work: Work | undefined): void;
}

export function createProgressPanel(options: ProgressPanelOptions): ProgressPanel {
  const row = byId("progress-row", HTMLElement);
  const bar = byId("progress", HTMLProgressElement);
  const title = byId("progress-text", HTMLParagraphElement);
  const figures = byId("progress-figures", HTMLParagraphElement);
  const pause = byId("pause", HTMLButtonElement);
  const takeOver = byId("take-over", HTMLButtonElement);
  let shown: ProgressView | undefined;

  byId("cancel", HTMLButtonElement).addEventListener("click", options.onCancel);
  takeOver.addEventListener("click", options.onTakeOver);
  pause.addEventListener("click", () => {
    if (shown?.pause === "resume") options.onResume();
    else options.onPause();
  });

  function showView(view: ProgressView): void {
    const said = announcement(shown, view);
    if (said !== undefined) options.announce(said);
    title.textContent = view.title;
    title.title = view.title; // on a narrow screen it is cut
    figures.textContent = view.figures;
    bar.max = view.totalBytes;
    if (view.loadedBytes === undefined) bar.removeAttribute("value");
    else bar.value = view.loadedBytes;
    pause.hidden = view.pause === undefined;
    pause.textContent = view.pause === "resume" ? "Resume" : "Pause";
    takeOver.hidden = !view.canTakeOver;
  }

  return {
    show: (work) => {
      row.hidden = work === undefined;
      if (work === undefined) {
        shown = undefined;
        return;
      }
      const view = progressView(work);
      showView(view);
      shown = view;
      const { progress } = work;
      if (progress === undefined || progress.totalBytes === 0) return;
      bar.dataset.phase = progress.phase;
      bar.dataset.state = progress.state ?? "running";
      bar.dataset.loaded = String(progress.loadedBytes);
      bar.dataset.total = String(progress.totalBytes);
    },
  };
}
