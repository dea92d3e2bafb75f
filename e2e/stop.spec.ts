import { chatPage } from "./support/chat-page.ts";
import { expect, test } from "./support/test.ts";

test("Stop, Escape and New chat end an answer, and the next question is answered", async ({
  serve,
  visit,
}) => {
  test.setTimeout(300_000);
  const server = await serve();
  const { page } = await visit();
  const chat = chatPage(page, server.url);
  await chat.open();

  await chat.ask("What is 468 + 257?", "high");
  await expect(chat.by("reasoning-text").last()).not.toBeEmpty({ timeout: 120_000 });
  await expect(chat.by("reasoning-text").last()).toBeVisible(); // open while it streams
  await chat.by("stop").click();
  await chat.turnIs("stopped");
  const stopped = await chat.by("reasoning-text").last().textContent();
  await expect(chat.by("stop")).toBeHidden();
  const refused = [chat.by("load"), page.getByRole("button", { name: /^Delete/, includeHidden: true })];
  for (const button of refused) await expect(button).toBeEnabled();

  await chat.ask("What is 468 + 257?", "high");
  await expect(chat.by("reasoning-text")).toHaveCount(2, { timeout: 120_000 });
  for (const button of refused) await expect(button).toBeDisabled({ timeout: 1_000 });
  await page.keyboard.press("Escape");
  await chat.turnIs("stopped");

  const newChat = page.getByRole("button", { name: "New chat" });
  const promptTokens = async () => /\d+ tokens in/.exec(await chat.by("stats").last().innerText())?.[0];
  await newChat.click();
  await chat.ask("What is the capital of Japan?");
  await chat.turnIs("done");
  await expect(chat.by("answer-text").last()).toContainText("Tokyo");
  const fresh = await promptTokens();
  expect(fresh).toMatch(/\d/);

  // The long answer is cut off in its middle and forgotten, and what is clicked at once is answered.
  await chat.ask("Give me a table of the planets.");
  await chat.by("answer-text").last().locator("table").waitFor();
  await newChat.click();
  await page.getByRole("button", { name: "What is the capital of Japan?" }).click();
  await chat.turnIs("done");
  await expect(chat.by("answer-text")).toHaveCount(1);
  await expect(chat.by("answer-text")).toContainText("Tokyo");
  expect(await promptTokens(), "of a fresh conversation").toBe(fresh);
  expect(stopped?.length, "nothing is added after a stop").toBeGreaterThan(0);
});
