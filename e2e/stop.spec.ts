import { chatPage } from "./support/chat-page.ts";
import { expect, test } from "./support/test.ts";

test("Stop and Escape end an answer, and the next question is answered", async ({ serve, visit }) => {
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

  await chat.ask("What is 468 + 257?", "high");
  await expect(chat.by("reasoning-text").last()).not.toBeEmpty({ timeout: 120_000 });
  await page.keyboard.press("Escape");
  await chat.turnIs("stopped");

  await page.getByRole("button", { name: "New chat" }).click();
  await chat.ask("What is the capital of Japan?");
  await chat.turnIs("done");
  await expect(chat.by("answer-text").last()).toContainText("Tokyo");
  expect(stopped?.length, "nothing is added after a stop").toBeGreaterThan(0);
});
