import type { Locator, Page } from "@playwright/test";
import { chatPage } from "./support/chat-page.ts";
import { expect, test } from "./support/test.ts";

for (const colorScheme of ["light", "dark"] as const) {
  test(`360 px wide and ${colorScheme}: nothing scrolls sideways, everything is reachable by keyboard`, async ({
    serve,
    visit,
  }) => {
    const server = await serve();
    const { page } = await visit({ colorScheme, width: 360, height: 740 });
    const chat = chatPage(page, server.url);
    await chat.open({ model: `${server.url}a-rather-long-folder-name/that-is-not-there/resolve/main/` });
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    await expect(chat.by("suggestion").first()).toBeVisible();
    expect(await fits()).toBe(true);
    await page.screenshot({ path: `e2e/results/start-${colorScheme}-360.png` });

    await chat.by("question").fill(`${"unbroken".repeat(30)}\nsecond line`);
    await page.keyboard.press("Enter");
    await chat.turnIs("error");
    await expect(chat.by("error")).toBeVisible();
    expect(await fits()).toBe(true);
    await page.screenshot({ path: `e2e/results/error-${colorScheme}-360.png` });

    await chat.by("question").focus();
    const reached: string[] = [];
    for (let presses = 0; presses < 20; presses += 1) {
      await page.keyboard.press("Shift+Tab");
      reached.push(
        await page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName || ""),
      );
    }
    expect(reached).toEqual(
      expect.arrayContaining(["model-select", "model-url", "load", "new-chat", "SUMMARY"]),
    );
  });
}

test("wide, light and dark: the start page", async ({ serve, visit }) => {
  const server = await serve();
  const { page } = await visit();
  const chat = chatPage(page, server.url);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await chat.open();
    await expect(chat.by("suggestion").first()).toBeVisible();
    await page.screenshot({ path: `e2e/results/start-${colorScheme}-1280.png` });
  }
  const label = (id: string) =>
    page.locator(`#${id}`).evaluate((e) => (e as HTMLInputElement).labels?.length ?? 0);
  for (const id of ["question", "effort", "model-select", "model-url"])
    expect(await label(id)).toBeGreaterThan(0);
});

for (const height of [800, 600]) {
  test(`a phone of 390 x ${height}: the page opens at its top, with the choice of a checkpoint in view`, async ({
    serve,
    visit,
  }) => {
    const server = await serve();
    const { page } = await visit({ width: 390, height });
    const chat = chatPage(page, server.url);
    await chat.openBare();
    await expect(chat.by("storage-summary")).toHaveText("Nothing yet.");
    expect(await scrollTop(page)).toBe(0);
    await expect(chat.by("model-select")).toBeInViewport({ ratio: 1 });
    await expect(chat.by("load")).toBeInViewport({ ratio: 1 });

    await page.setViewportSize({ width: 390, height: height - 100 }); // as a keyboard does
    await twoFrames(page);
    expect(await scrollTop(page)).toBe(0);
  });
}

for (const [width, height] of [
  [1280, 800],
  [390, 600],
] as const) {
  test(`${width} x ${height}: with panels open, only the middle of the page scrolls`, async ({
    serve,
    visit,
  }) => {
    const server = await serve();
    const { page } = await visit({ width, height });
    const chat = chatPage(page, server.url);
    await chat.openBare();
    await chat.by("model-select").selectOption("listed:openai/gpt-oss-20b");
    await page.locator("#load-settings > summary").click();
    await page.locator("#capability > summary").click();
    await expect(page.locator("#capability-report dl")).toBeVisible();
    const scrolls = () =>
      page.evaluate(() => {
        const { scrollHeight: whole, clientHeight: seen } =
          document.getElementById("scroller") ?? document.body;
        return { document: document.documentElement.scrollHeight - innerHeight, middle: whole > seen };
      });
    expect(await scrolls()).toEqual({ document: 0, middle: true });
    await chat.by("settings-toggle").click();
    expect(await scrolls()).toEqual({ document: 0, middle: true });
  });
}

for (const width of [1280, 390]) {
  test(`${width} px wide: what a choice asks for stands below it, and moves it nowhere`, async ({
    serve,
    visit,
  }) => {
    const server = await serve();
    const { page } = await visit({ width });
    const chat = chatPage(page, server.url);
    await chat.openBare();
    const select = chat.by("model-select");
    const before = await box(select);
    for (const [value, field] of [
      ["address", chat.by("model-url")],
      ["folder", chat.by("pick-folder")],
    ] as const) {
      await select.selectOption(value);
      expect(await box(select)).toEqual(before);
      expect((await box(field)).y).toBeGreaterThanOrEqual(before.y + before.height);
    }
  });
}

test("Escape closes the tools, whose button shows whether they are open", async ({ serve, visit }) => {
  const server = await serve();
  const { page } = await visit();
  const { by, openBare } = chatPage(page, server.url);
  await openBare();
  const look = () => by("settings-toggle").evaluate((e) => getComputedStyle(e).borderColor);
  await page.mouse.move(0, 0);
  const closed = await look();
  await by("settings-toggle").press("Enter");
  await expect(by("settings")).toBeVisible();
  expect(await look()).not.toBe(closed);
  await by("browser-on").focus();
  await page.keyboard.press("Escape");
  await expect(by("settings")).toBeHidden();
  await expect(by("settings-toggle"), "the focus is not lost").toBeFocused();
  expect(await look()).toBe(closed);
});

for (const height of [800, 600, 450]) {
  test(`a phone of 390 x ${height}: the tools scroll by themselves, leave the question in view, and are closed`, async ({
    serve,
    visit,
  }) => {
    const server = await serve();
    const { page } = await visit({ width: 390, height });
    const { by, openBare } = chatPage(page, server.url);
    await openBare();
    await by("settings-toggle").click();
    for (const tool of ["browser-on", "functions-on"]) await by(tool).check();
    const panel = await box(by("settings"));
    expect(panel.height, "not most of the page").toBeLessThan(height / 2);
    for (const id of ["settings-close", "question", "send"])
      await expect(by(id), id).toBeInViewport({ ratio: 1 });

    await page.mouse.move(panel.x + panel.width / 2, panel.y + panel.height - 20);
    await page.mouse.wheel(0, 3000);
    await expect(by("hide-reasoning"), "its end").toBeInViewport({ ratio: 1 });
    await expect(by("settings-close"), "stays").toBeInViewport({ ratio: 1 });
    expect(await scrollTop(page), "the page behind it").toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBe(0);

    await by("settings-close").click();
    await expect(by("settings")).toBeHidden();
    await expect(by("settings-toggle"), "the focus is not lost").toBeFocused();
  });
}

test("a question without a model is refused beside the question, until a model is chosen", async ({
  serve,
  visit,
}) => {
  const server = await serve();
  const { page } = await visit({ width: 390, height: 600 });
  const chat = chatPage(page, server.url);
  const said = chat.by("composer-problem");
  await chat.openBare();
  await chat.by("model-select").selectOption("folder");
  await chat.ask("Hello");
  await expect(said).toHaveText("Not sent. Choose a folder first, or drop one on this page.");
  await expect(said).toBeInViewport({ ratio: 1 });
  await expect(chat.by("folder-facts")).toHaveAttribute("data-complete", "false");
  await chat.by("model-select").selectOption("address");
  await expect(said).toBeEmpty();
  await chat.by("suggestion").first().click();
  await expect(said).toContainText("Not sent. Enter org/name");
  await expect(chat.by("question"), "the text stays").toHaveValue("Hello");
});

const scrollTop = (page: Page) => page.locator("#scroller").evaluate((e) => e.scrollTop);

/** Until what observes sizes has been told. */
const twoFrames = (page: Page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(undefined)))),
  );

async function box(element: Locator) {
  const found = await element.boundingBox();
  if (found === null) throw new Error("The element is not visible.");
  return found;
}
