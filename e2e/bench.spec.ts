import type { Page } from "@playwright/test";
import { expect, test } from "./support/test.ts";

const timeout = 150_000;
const toy = "bench/?shape=toy&prompt=16&tokens=4&depth=8&runs=1";

const state = (page: Page) => page.getByTestId("status");
const fits = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

test("the benchmark page times a toy model, draws what it found and copies it as JSON", async ({
  serve,
  visit,
}) => {
  const server = await serve();
  const { page, context } = await visit();
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
  const problems: string[] = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(server.url + toy);
  await page.getByTestId("run").click();
  await expect(state(page)).toHaveAttribute("data-state", "done", { timeout });
  const results = page.getByTestId("results");
  await expect(results.getByText("Share of the read bandwidth")).toBeVisible();
  await expect(results.locator("table").nth(1).locator("tr")).not.toHaveCount(0);
  await expect(results.getByText("moe-down-vec")).toBeVisible();
  await expect(results.getByText("Kernel sizes: built in (table)")).toBeVisible(); // a CPU has the built-in ones
  await page.screenshot({ path: "e2e/results/bench-light-1280.png" });

  await page.getByTestId("copy").click();
  await expect(state(page)).toHaveText("Copied.");
  const report = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(report).toMatchObject({ schema: 1, decode: { tokens: 4 }, decodeAtDepth: { depth: 8 } });
  expect(report.decode.tokensPerSecond).toBeGreaterThan(0);
  const { sizes } = report.info.tuning;
  const { rows, workgroupSize } = sizes.gateUpVec;
  await expect(results.getByRole("row", { name: "gateUpVec" })).toContainText(
    `rows ${rows}, workgroupSize ${workgroupSize}`,
  );
  await expect(results.locator("table.sizes tr")).toHaveCount(Object.keys(sizes).length);
  expect(report.kernelsChecked.length).toBeGreaterThan(15);

  await page.emulateMedia({ colorScheme: "dark" });
  for (const width of [1280, 800, 460, 360]) {
    await page.setViewportSize({ width, height: 740 });
    expect(await fits(page)).toBe(true);
    expect(await rowsOfTiles(page), `${width} px wide`).toEqual(
      width > 576 ? { fields: [3, 2, 2], figures: [3, 3] } : { fields: [1, 2, 2, 2], figures: [2, 2, 2] },
    );
  }
  await results.locator(".figures > :first-child").evaluate((tile) => tile.remove()); // as without a depth
  expect((await rowsOfTiles(page)).figures).toEqual([1, 2, 2]);
  await page.setViewportSize({ width: 1280, height: 740 });
  expect((await rowsOfTiles(page)).figures).toEqual([3, 2]);
  await page.setViewportSize({ width: 360, height: 740 });
  await results.locator("table").nth(1).scrollIntoViewIfNeeded();
  await page.screenshot({ path: "e2e/results/bench-dark-360.png" });
  expect(problems).toEqual([]);
});

/** How many fields and figures stand in each row; a row that is not full is given as 0. */
function rowsOfTiles(page: Page) {
  return page.evaluate(() => {
    const rows = (grid: Element | null): number[] => {
      const right = grid?.getBoundingClientRect().right ?? 0;
      const found = new Map<number, { count: number; right: number }>();
      for (const tile of grid?.children ?? []) {
        const box = tile.getBoundingClientRect();
        found.set(box.top, { count: (found.get(box.top)?.count ?? 0) + 1, right: box.right });
      }
      return [...found.values()].map((row) => (Math.abs(row.right - right) < 1 ? row.count : 0));
    };
    return {
      fields: rows(document.querySelector(".bench-form .tiles")),
      figures: rows(document.querySelector(".figures")),
    };
  });
}

test("a benchmark is stopped, and another can be started", async ({ serve, visit }) => {
  const server = await serve();
  const { page } = await visit();
  await page.goto(server.url);
  await page.getByRole("link", { name: "benchmark" }).click();
  await page.getByLabel("Decoded tokens").fill("400");
  await page.getByTestId("run").click();
  await expect(page.getByTestId("stop")).toBeVisible();
  await expect(page.getByTestId("run")).toBeDisabled();
  await page.getByTestId("stop").click();
  await expect(state(page)).toHaveText("Stopped.");
  await expect(page.getByTestId("run")).toBeEnabled();
  await expect(page.getByTestId("results")).toBeHidden();
});
