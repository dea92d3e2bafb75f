import type { Page } from "@playwright/test";
import { chatPage, type ProgressStep, recordProgress } from "./support/chat-page.ts";
import { askedRanges, modelRequests } from "./support/requests.ts";
import { expect, test } from "./support/test.ts";

test("first visit downloads and answers, reasoning apart; second visit answers without the network", async ({
  serve,
  visit,
}) => {
  test.setTimeout(360_000);
  let isCut = false;
  const server = await serve({
    onRequest: ({ path }) => (isCut && path.startsWith("/models/") ? { status: 503 } : undefined),
  });

  const first = await visit();
  const chat = chatPage(first.page, server.url);
  const violations = await watchPolicy(first.page);
  await chat.open();
  const progress = await recordProgress(first.page);
  await chat.ask("What is 17 + 25?");
  await chat.turnIs("done");
  await expect(chat.by("answer-text")).toContainText("42");
  await expect(chat.by("answer-text")).not.toContainText("<|");
  await expect(chat.by("reasoning-text")).toContainText("17 + 25");
  await expect(chat.by("reasoning-text")).toBeHidden();
  await first.page.getByText("Reasoning (unfiltered)").click();
  await expect(chat.by("reasoning-text")).toBeVisible();
  await expect(chat.by("stats")).toHaveText(
    /[\d.]+ tokens\/s · first token after [\d.]+ s · \d+ tokens in, \d+ out/,
  );
  await expect(chat.by("adapter")).toContainText(/(subgroups|workgroup) kernels/);
  checkProgress(await progress());
  expect(sum(askedRanges(server.requests))).toBeLessThan(14_787_800 + 100_000);
  await screenshots(first.page);
  expect(await violations()).toEqual([]);
  const firstAnswer = await chat.by("answer-text").textContent();
  await first.close();

  isCut = true;
  const before = server.requests.length;
  const second = await visit();
  const again = chatPage(second.page, server.url);
  await again.open();
  // The worker has started once it has listed what is stored: from here on the page has all it needs.
  await expect(second.page.locator("#stored-models li")).toHaveCount(1);
  await second.context.setOffline(true);
  expect(await second.page.evaluate(isReachable, server.url)).toBe(false);
  expect(await second.page.workers()[0]?.evaluate(isReachable, server.url)).toBe(false);
  await again.ask("What is 17 + 25?");
  await again.turnIs("done");
  expect(await again.by("answer-text").textContent()).toBe(firstAnswer);
  expect(modelRequests(server.requests.slice(before))).toEqual([]);
});

test("a visit whose address sets nothing is told today's date, and its answers are repeatable", async ({
  serve,
  visit,
}) => {
  test.setTimeout(360_000);
  const server = await serve();
  const { page } = await visit();
  const chat = chatPage(page, server.url);
  const reasoning = async () => {
    await chat.ask("What is today's date?", "medium");
    await chat.turnIs("done");
    return chat.by("reasoning-text").textContent();
  };
  await chat.openBare();
  const before = await today(page);
  const bare = await reasoning();
  // Against what the model makes of a date, not against the date: it reads those of far years wrong.
  const told: (string | null)[] = [];
  for (const date of new Set([before, await today(page)])) {
    await chat.open({ date });
    told.push(await reasoning());
  }
  expect(told).toContain(bare);
  await chat.open({ date: before.endsWith("-03-14") ? "2027-05-16" : "2027-03-14" });
  expect(await reasoning(), "another date gives another answer").not.toBe(bare);
});

/** YYYY-MM-DD in the page's time zone; Swedes write dates so. */
function today(page: Page): Promise<string> {
  return page.evaluate(() => new Date().toLocaleDateString("sv-SE"));
}

/** Runs in a page or worker: whether its server can be reached. */
async function isReachable(url: string): Promise<boolean> {
  try {
    await fetch(url, { cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}

function checkProgress(steps: readonly ProgressStep[]): void {
  for (const phase of ["download", "load"]) {
    const own = steps.filter((step) => step.phase === phase);
    expect(own.length, `${phase} reports progress`).toBeGreaterThan(phase === "download" ? 1 : 0);
    const loaded = own.map((step) => step.loaded);
    expect(loaded, `${phase} is monotone`).toEqual([...loaded].sort((a, b) => a - b));
    expect(new Set(own.map(({ total }) => total)).size, `the total of ${phase} stays`).toBe(1);
    expect(own.at(-1)?.loaded, `${phase} ends at 100 %`).toBe(own.at(-1)?.total);
  }
}

function sum(ranges: readonly { readonly start: number; readonly end: number }[]): number {
  return ranges.reduce((total, { start, end }) => total + end - start, 0);
}

/** Collects what the page's own Content-Security-Policy blocked. */
async function watchPolicy(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const blocked: string[] = [];
    Object.assign(globalThis, { blocked });
    document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.violatedDirective));
  });
  return () => page.evaluate(() => Reflect.get(globalThis, "blocked") as string[]);
}

async function screenshots(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: `e2e/results/answer-${colorScheme}-${width}.png` });
    }
  }
}
