import {
  type CapabilityOptions,
  type CapabilityReport,
  type CapabilitySubject,
  EngineError,
} from "../../src/index.ts";
import { byId, make } from "../dom.ts";
import { type CapabilityView, capabilityView } from "./capability-view.ts";
import type { PickedModel } from "./picker.ts";

export interface CapabilityPanelOptions {
  /** The chosen model; undefined where none is. */
  readonly choice: () => PickedModel | undefined;
  readonly gpuMemoryBytes: () => number | undefined;
  readonly ask: (subject: CapabilitySubject, options: CapabilityOptions) => Promise<CapabilityReport>;
}

/** "Will it run here?": the report on the chosen model. */
export interface CapabilityPanel {
  /** The choice or a setting changed: what is shown is made anew, where it is looked at or needs no request. */
  refresh(): void;
  /**
   * Makes the report and shows it.
   * @throws what `capabilities` throws, and where something blocks, the error that loading would end with
   */
  check(model: PickedModel): Promise<void>;
}

export function createCapabilityPanel(options: CapabilityPanelOptions): CapabilityPanel {
  const panel = byId("capability", HTMLDetailsElement);
  const verdict = byId("capability-verdict", HTMLSpanElement);
  const body = byId("capability-report", HTMLDivElement);
  // Counts reports: one that comes late is not shown over a newer one.
  let current = 0;

  function clear(text: string): void {
    current += 1;
    verdict.textContent = "";
    delete panel.dataset.tone;
    body.replaceChildren(make("p", { text }));
  }

  async function report(model: PickedModel): Promise<CapabilityReport> {
    const own = current + 1;
    clear("Finding out…");
    const gpuMemoryBytes = options.gpuMemoryBytes();
    const { contextLength, kvFormat, dense } = model.settings ?? {};
    const subject = model.published === undefined ? model.source : { published: model.published };
    try {
      const made = await options.ask(subject, {
        ...(contextLength !== undefined && { contextLength }),
        ...(kvFormat !== undefined && { kvFormat }),
        ...(dense !== undefined && { dense }),
        ...(gpuMemoryBytes !== undefined && { gpuMemoryBytes }),
      });
      if (own === current) showView(capabilityView(made, gpuMemoryBytes !== undefined));
      return made;
    } catch (error) {
      if (own === current) clear(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  function showView({ tone, verdict: text, problems, otherFeatures, facts }: CapabilityView): void {
    panel.dataset.tone = tone;
    verdict.textContent = text;
    const shown = problems.map(({ severity, message, remedy }) =>
      make("li", { className: severity }, [
        make("strong", { text: message }),
        document.createTextNode(` ${remedy}`),
      ]),
    );
    const list = make("ul", { className: "problems", testId: "problems" }, shown);
    const table = make(
      "dl",
      { className: "facts-table" },
      facts.flatMap(([term, description]) => [make("dt", { text: term }), make("dd", { text: description })]),
    );
    const others = make("details", { className: "sub" }, [
      make("summary", { text: `Features of the adapter that are not used (${otherFeatures.length})` }),
      make("p", { text: otherFeatures.join(", ") }),
    ]);
    body.replaceChildren(
      ...(shown.length > 0 ? [list] : []),
      table,
      ...(otherFeatures.length > 0 ? [others] : []),
    );
  }

  function refresh(): void {
    const model = options.choice();
    if (model === undefined) clear("Choose a model first.");
    // A report on a published shape asks no server; for others that is done only for who looks.
    else if (!panel.open && model.published === undefined) clear("");
    else report(model).catch(() => {}); // its message stands in the panel
  }

  panel.addEventListener("toggle", () => {
    if (panel.open && panel.dataset.tone === undefined) refresh();
  });

  return {
    refresh,
    check: async (model) => {
      const { problems } = await report(model);
      const blocking = problems.find(({ severity }) => severity === "blocks");
      if (blocking === undefined) return;
      panel.open = true;
      const code = blocking.code === "slow" ? "internal" : blocking.code; // what is slow never blocks
      throw new EngineError(code, `${blocking.message} ${blocking.remedy}`);
    },
  };
}
