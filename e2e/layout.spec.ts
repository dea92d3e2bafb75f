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
