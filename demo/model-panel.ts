import type { ByteProgress, EngineInfo, StoredModelSummary } from "../src/index.ts";
import { byId, make, makeButton } from "./dom.ts";
import { formatBytes } from "./format.ts";
import { choiceFromAddress, listedModels, type ModelChoice } from "./model-choices.ts";
import type { ModelStatus } from "./session.ts";

export interface ModelPanelOptions {
  /** A model named in the page's address. */
  readonly preset: string | undefined;
  readonly onLoad: () => void;
  readonly onCancel: () => void;
  readonly onDelete: (id: string) => void;
}

/** The picker, the progress and what is known of the loaded model. */
export interface ModelPanel {
  /** The chosen model; undefined, with a hint at the field, where the address is unusable. */
  choice(): ModelChoice | undefined;
  show(status: ModelStatus): void;
  /** While an answer streams, nothing can be loaded or deleted. */
  setBusy(isBusy: boolean): void;
  showStored(models: readonly StoredModelSummary[]): void;
}

const customValue = "address";

export function createModelPanel(options: ModelPanelOptions): ModelPanel {
  const panel = byId("model-panel", HTMLDetailsElement);
  const select = byId("model-select", HTMLSelectElement);
  const urlRow = byId("model-url-row", HTMLDivElement);
  const url = byId("model-url", HTMLInputElement);
  const loadButton = byId("load", HTMLButtonElement);
  const adapter = byId("adapter", HTMLSpanElement);
  const stored = byId("stored-models", HTMLUListElement);
  const status = byId("model-status", HTMLParagraphElement);
  const progress = createProgress();
  let isBusy = false;
  let isLoading = false;

  /** What the engine would refuse as busy is not offered. */
  function enableButtons(): void {
    for (const button of [loadButton, ...stored.querySelectorAll("button")]) {
      button.disabled = isBusy || isLoading;
    }
  }

  for (const { baseUrl, label } of listedModels) select.add(new Option(label, baseUrl));
  select.add(new Option("Another checkpoint, by address…", customValue));
  if (options.preset !== undefined) {
    select.value = customValue;
    url.value = options.preset;
  }
  const showUrl = () => {
    urlRow.hidden = select.value !== customValue;
  };
  showUrl();
  select.addEventListener("change", showUrl);
  url.addEventListener("input", () => url.setCustomValidity(""));
  byId("cancel", HTMLButtonElement).addEventListener("click", options.onCancel);
  byId("model-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    options.onLoad();
  });

  return {
    choice: () => {
      if (select.value !== customValue) return listedModels.find(({ baseUrl }) => baseUrl === select.value);
      const choice = choiceFromAddress(url.value);
      if (choice === undefined) {
        panel.open = true;
        url.setCustomValidity("Enter org/name or an address that begins with https://");
        url.reportValidity();
      }
      return choice;
    },
    show: (now) => {
      status.dataset.state = now.state;
      status.textContent = statusText(now);
      status.title = status.textContent; // on a narrow screen it is cut
      isLoading = now.state === "loading";
      enableButtons();
      progress.show(now);
      adapter.textContent = now.state === "ready" ? describeInfo(now.info) : "";
      if (now.state === "ready") panel.open = false;
    },
    setBusy: (now) => {
      isBusy = now;
      enableButtons();
    },
    showStored: (models) => {
      stored.replaceChildren(...models.map((model) => storedRow(model, options.onDelete)));
      enableButtons();
    },
  };
}

function statusText(status: ModelStatus): string {
  switch (status.state) {
    case "idle":
      return "No model loaded";
    case "loading":
      return `Loading ${status.choice.name}…`;
    case "ready":
      return `${status.choice.name} ready`;
    case "error":
      return `${status.choice.name} is not loaded`;
    default:
      return status satisfies never;
  }
}

function createProgress() {
  const row = byId("progress-row", HTMLElement);
  const bar = byId("progress", HTMLProgressElement);
  const text = byId("progress-text", HTMLParagraphElement);

  function showBytes({ phase, loadedBytes, totalBytes }: ByteProgress): void {
    bar.max = Math.max(totalBytes, 1);
    bar.value = loadedBytes;
    bar.dataset.phase = phase;
    bar.dataset.loaded = String(loadedBytes);
    bar.dataset.total = String(totalBytes);
    const percent = Math.floor((loadedBytes / Math.max(totalBytes, 1)) * 100);
    const bytes = `${formatBytes(loadedBytes)} of ${formatBytes(totalBytes)} (${percent} %)`;
    if (phase === "download") text.textContent = `Downloading: ${bytes}`;
    else if (loadedBytes < totalBytes) text.textContent = `Loading onto the graphics card: ${bytes}`;
    else text.textContent = "Preparing the graphics card…"; // its driver compiles the kernels, and reports nothing
  }

  return {
    show: (status: ModelStatus) => {
      row.hidden = status.state !== "loading";
      if (status.state !== "loading") return;
      if (status.progress !== undefined) showBytes(status.progress);
      else {
        bar.removeAttribute("value"); // of unknown length
        text.textContent = "Starting…";
      }
    },
  };
}

function describeInfo(info: EngineInfo): string {
  const { vendor, architecture, description, isSoftware } = info.adapter;
  const name =
    description || [vendor, architecture].filter((part) => part !== "").join(" ") || "unnamed adapter";
  return [
    isSoftware ? `${name} (software, slow)` : name,
    `${info.variant} kernels`,
    `${formatBytes(info.gpuBytes)} on the GPU`,
    `context of ${info.contextLength} tokens`,
    `KV cache ${info.kvFormat}`,
    `dense weights ${info.dense}`,
  ].join(" · ");
}

function storedRow(model: StoredModelSummary, onDelete: (id: string) => void): HTMLLIElement {
  const size = model.ready
    ? formatBytes(model.totalBytes)
    : `${formatBytes(model.storedBytes)} of ${formatBytes(model.totalBytes)}`;
  const name = model.id.replace(/^https?:\/\//, "").replace(/\/resolve\/main\/$/, "");
  const button = makeButton("Delete", () => onDelete(model.id), { className: "quiet small" });
  button.setAttribute("aria-label", `Delete ${name} from this browser`);
  return make("li", {}, [
    make("span", { className: "stored-name", text: name }),
    make("span", { className: "stored-size", text: `stored, ${size}` }),
    button,
  ]);
}
