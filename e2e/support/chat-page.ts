import { expect, type Locator, type Page } from "@playwright/test";

export type ModelState = "idle" | "loading" | "ready" | "error";
export type TurnState = "streaming" | "done" | "stopped" | "error";

/** Long enough for SwiftShader on a busy machine with two cores. */
export const answerTimeoutMs = 150_000;
export const loadTimeoutMs = 60_000;

/** The chat page as its tests see it. */
export interface ChatPage {
  readonly page: Page;
  readonly by: (testId: string) => Locator;
  /** Opens the page; answers are dated as the model's samples are, unless told otherwise. */
  open(parameters?: Readonly<Record<string, string>>): Promise<void>;
  /** Opens the page as a visitor does: its address sets nothing. */
  openBare(): Promise<void>;
  ask(question: string, effort?: "low" | "medium" | "high"): Promise<void>;
  /** Waits until the newest turn is in this state. */
  turnIs(state: TurnState): Promise<void>;
  /** Presses Load and waits for nothing. */
  load(): Promise<void>;
  modelIs(state: ModelState): Promise<void>;
  /** Waits for an error card with this code. */
  failsWith(code: string): Promise<void>;
}

export function chatPage(page: Page, url: string): ChatPage {
  const by = (testId: string) => page.getByTestId(testId);
  return {
    page,
    by,
    open: async (parameters = {}) => {
      const query = new URLSearchParams({ date: "2026-11-22", ...parameters });
      await page.goto(`${url}?${query}`);
    },
    openBare: async () => {
      await page.goto(url);
    },
    ask: async (question, effort = "low") => {
      await by("effort").selectOption(effort);
      await by("question").fill(question);
      await by("send").click();
    },
    turnIs: (state) =>
      expect(by("turn-status").last()).toHaveAttribute("data-state", state, { timeout: answerTimeoutMs }),
    load: () => by("load").click(),
    modelIs: (state) =>
      expect(by("model-status")).toHaveAttribute("data-state", state, { timeout: loadTimeoutMs }),
    failsWith: (code) => expect(by("error")).toHaveAttribute("data-code", code, { timeout: loadTimeoutMs }),
  };
}

export interface ProgressStep {
  readonly phase: string;
  readonly loaded: number;
  readonly total: number;
}

/** Records every value that the progress bar takes, from now on. */
export async function recordProgress(page: Page): Promise<() => Promise<readonly ProgressStep[]>> {
  await page.evaluate(() => {
    const bar = document.querySelector<HTMLElement>("[data-testid=progress]");
    if (bar === null) throw new Error("no progress bar");
    const steps: ProgressStep[] = [];
    Object.assign(globalThis, { progressSteps: steps });
    new MutationObserver(() => {
      const { phase = "", loaded, total } = bar.dataset;
      steps.push({ phase, loaded: Number(loaded), total: Number(total) });
    }).observe(bar, { attributes: true, attributeFilter: ["data-loaded", "data-total"] });
  });
  return () => page.evaluate(() => Reflect.get(globalThis, "progressSteps") as ProgressStep[]);
}
