import { byId } from "./dom.ts";
import { createCapabilityPanel } from "./model/capability-panel.ts";
import { acceptDrops, type GivenFolder, pickFolder } from "./model/folder-picker.ts";
import { createSettingsForm } from "./model/load-settings.ts";
import { createPicker, type PickedModel } from "./model/picker.ts";
import { createProgressPanel } from "./model/progress-panel.ts";
import type { Work } from "./model/progress-view.ts";
import { createStatusLine } from "./model/status-line.ts";
import { createStorageWork } from "./model/storage-work.ts";
import { createStoredList } from "./model/stored-list.ts";
import { isEmbedded, type ModelChoice, sameChoice } from "./model-choices.ts";
import type { ModelStatus, Session } from "./session.ts";

export interface ModelControlOptions {
  readonly session: Session;
  /** What the page's address sets: a model, and the size of stored chunks. */
  readonly preset: string | undefined;
  readonly chunkBytes: number | undefined;
  /** The user ends what is under way; an answer that waits for its model is under way too. */
  readonly onCancel: () => void;
  readonly onError: (error: unknown, onRetry: () => void) => void;
  /** New work begins: what was said of earlier failures is past. */
  readonly onBegin: () => void;
  readonly announce: (text: string) => void;
}

/** The part of the page that chooses, loads and keeps models. */
export interface ModelControl {
  /** The chosen model; undefined, with a hint at the field, where there is none. */
  choice(): ModelChoice | undefined;
  /** Why there is no chosen model; empty where there is one. */
  problem(): string;
  /** Reports on the model and loads it, unless it is loaded. What cannot run here is refused before a download. */
  load(choice: ModelChoice, signal: AbortSignal): Promise<void>;
  /** Loads the chosen model, and shows what fails. */
  loadChosen(): Promise<void>;
  show(status: ModelStatus): void;
  /** While an answer streams, nothing can be loaded or deleted. */
  setBusy(isBusy: boolean): void;
  refreshStored(): Promise<void>;
}

export function createModelControl(options: ModelControlOptions): ModelControl {
  const { session, onBegin, onError } = options;
  const panel = byId("model-panel", HTMLDetailsElement);
  const loadButton = byId("load", HTMLButtonElement);
  const downloadButton = byId("download", HTMLButtonElement);
  const showStatus = createStatusLine();
  let isBusy = false;
  let work: Work | undefined;
  let loading: AbortController | undefined;
  let stored: readonly string[] = [];

  const settings = createSettingsForm();
  const picker = createPicker({
    preset: options.preset,
    onPickFolder: () => void takeFolder(pickFolder()),
    onChange: () => report.refresh(),
  });
  const report = createCapabilityPanel({
    choice: () => chosen(false),
    gpuMemoryBytes: settings.gpuMemoryBytes,
    ask: (subject, asked) => session.engine().capabilities(subject, asked),
  });
  const list = createStoredList({
    onAction: (action, model) => {
      onBegin();
      if (action !== "load") return void storage.run(action, model);
      picker.selectStored(model.id);
      void loadChosen();
    },
    onImport: () => void importFolder(),
  });
  const storage = createStorageWork({
    engine: session.engine,
    chunkBytes: options.chunkBytes,
    pageUrl: document.baseURI,
    onWork: (now) => {
      work = now;
      showWork();
      if (now === undefined) void refreshStored();
    },
    onNote: (id, note) => {
      list.note(id, note);
      options.announce(note.text);
    },
    onError,
  });
  const progress = createProgressPanel({
    onPause: () => void session.engine().pauseDownload().catch(ignore),
    onResume: () => void session.engine().resumeDownload().catch(ignore),
    onTakeOver: session.takeOver,
    onCancel: () => {
      storage.cancel();
      loading?.abort();
      options.onCancel();
    },
    announce: options.announce,
  });

  function chosen(isLoud: boolean): PickedModel | undefined {
    const choice = picker.choice(isLoud);
    return choice && { ...choice, settings: settings.settings() };
  }

  /** What the engine would refuse as busy is not offered. */
  function showWork(): void {
    const status = session.status();
    const { choice, progress: bytes } =
      status.state === "loading" ? status : { choice: undefined, progress: undefined };
    const shown: Work | undefined = choice ? { kind: "load", name: choice.name, progress: bytes } : work;
    progress.show(shown);
    const isFree = !isBusy && shown === undefined;
    loadButton.disabled = !isFree;
    downloadButton.disabled = !isFree;
    list.setEnabled(isFree);
  }

  /** A model beside the page, one that is loaded or stored: about these the engine itself says enough. */
  function needsReport(choice: PickedModel): boolean {
    const { source } = choice;
    const status = session.status();
    if (status.state === "loading" || (status.state === "ready" && sameChoice(status.choice, choice)))
      return false;
    if (isEmbedded(choice) || "stored" in source) return false;
    return !("baseUrl" in source && stored.includes(source.baseUrl));
  }

  async function check(choice: PickedModel): Promise<void> {
    work = { kind: "load", name: choice.name, progress: undefined };
    showWork();
    try {
      await report.check(choice);
    } finally {
      work = undefined;
      showWork();
    }
  }

  async function load(choice: PickedModel, signal: AbortSignal): Promise<void> {
    await session.load(choice, signal, needsReport(choice) ? () => report.check(choice) : undefined);
  }

  async function loadChosen(): Promise<void> {
    const choice = chosen(true);
    if (choice === undefined || loading !== undefined) return;
    onBegin();
    loading = new AbortController();
    try {
      await load(choice, loading.signal);
    } catch (error) {
      onError(error, () => void loadChosen());
    } finally {
      loading = undefined;
      await refreshStored();
    }
  }

  async function downloadChosen(): Promise<void> {
    const choice = chosen(true);
    if (choice === undefined) return;
    onBegin();
    if (needsReport(choice)) await check(choice).catch(ignore); // what cannot run here may be stored all the same
    const { source } = choice;
    const copied = "files" in source || "directory" in source ? { ...source, import: true } : source;
    await storage.download({ ...choice, source: copied });
  }

  async function takeFolder(picked: Promise<GivenFolder | undefined>): Promise<GivenFolder | undefined> {
    onBegin();
    try {
      const folder = await picked;
      if (folder !== undefined) picker.showFolder(folder);
      return folder;
    } catch (error) {
      onError(error, () => {});
      return undefined;
    }
  }

  async function importFolder(): Promise<void> {
    const folder = await takeFolder(pickFolder());
    if (folder?.view.isComplete) await downloadChosen();
  }

  /** The list is a convenience: where the storage cannot be read, loading will say so. */
  async function refreshStored(): Promise<void> {
    try {
      const engine = session.engine();
      const [models, facts] = await Promise.all([engine.models(), engine.storage()]);
      stored = models.filter(({ ready }) => ready).map(({ id }) => id);
      picker.showStored(models);
      list.show(models, facts);
    } catch {
      list.show(
        [],
        await session
          .engine()
          .storage()
          .catch(() => undefined),
      );
    }
  }

  settings.onChange(report.refresh);
  downloadButton.addEventListener("click", () => void downloadChosen());
  byId("model-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    void loadChosen();
  });
  acceptDrops((folder) => void takeFolder(folder));

  return {
    choice: () => chosen(true),
    problem: picker.problem,
    load,
    loadChosen,
    refreshStored,
    show: (status) => {
      showStatus(status);
      if (status.state === "ready") panel.open = false;
      showWork();
    },
    setBusy: (now) => {
      isBusy = now;
      showWork();
    },
  };
}

const ignore = () => {};
