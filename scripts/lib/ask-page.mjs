import { LauncherError } from "./fail.mjs";

/** @typedef {import("playwright").Page} Page */

/** @param {string} id */
const testId = (id) => `[data-testid=${id}]`;
const ended = ["done", "stopped", "error"]
  .map((state) => `${testId("turn-status")}[data-state=${state}]`)
  .join(", ");

/**
 * Asks the chat page a question as a person would, and waits for the end of the answer. Locators only:
 * the page's CSP forbids the eval that `waitForFunction` needs.
 * @param {Page} page the open chat page
 * @param {{ question: string, effort: string, timeoutMs: number }} options
 * @returns {Promise<{ reasoning: string, answer: string }>}
 * @throws LauncherError with the page's own sentence where it shows an error
 */
export async function askPage(page, { question, effort, timeoutMs }) {
  await page.locator(testId("effort")).selectOption(effort);
  await page.locator(testId("question")).fill(question);
  await page.locator(testId("send")).click();
  const error = page.locator(testId("error")).filter({ hasText: /\S/, visible: true }).first();
  const outcome = await Promise.race([
    page
      .locator(ended)
      .first()
      .waitFor({ state: "attached", timeout: timeoutMs })
      .then(
        () => "ended",
        () => "late",
      ),
    error.waitFor({ state: "visible", timeout: timeoutMs }).then(
      () => "error",
      () => "late",
    ),
  ]);
  if (outcome === "late") {
    const status = await text(page, "model-status");
    throw new LauncherError(
      `The page did not end its answer within ${timeoutMs / 1000} s (model status: ${status || "unknown"}); --timeout SECONDS allows more.`,
    );
  }
  const state = await page
    .locator(testId("turn-status"))
    .last()
    .getAttribute("data-state", { timeout: 1000 })
    .catch(() => "error");
  if (outcome === "error" || state !== "done") {
    const sentence = (await text(page, "error")) || (await text(page, "turn-status"));
    throw new LauncherError(`The page did not answer: ${sentence || "it gave no reason."}`);
  }
  return { reasoning: await text(page, "reasoning-text"), answer: await text(page, "answer-text") };
}

/**
 * Text of the last element with this id, whether it is shown or folded away; empty where there is none.
 * @param {Page} page
 * @param {string} id
 */
async function text(page, id) {
  const all = await page.locator(testId(id)).allTextContents();
  return (all.at(-1) ?? "").trim();
}
