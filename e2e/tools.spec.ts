import { join } from "node:path";
import type { Page } from "@playwright/test";
import { chatPage } from "./support/chat-page.ts";
import { scriptedAssets } from "./support/scripted-page.ts";
import { noGpuArgs } from "./support/storage-page.ts";
import { expect, test } from "./support/test.ts";

// Tools on the page. What the model does is scripted, except in the last test; the page, the client and the tools are real.

const definitions = JSON.stringify([
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Gets the weather of a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
]);
const personSchema = JSON.stringify({
  title: "person",
  type: "object",
  properties: { name: { type: "string", maxLength: 8 }, age: { type: "integer", minimum: 0, maximum: 99 } },
  required: ["name", "age"],
});

test("calls are shown, approved, denied, and answered by hand, by Python and by the browser", async ({
  serve,
  visit,
  scratch,
}) => {
  const { url } = await serve({ mounts: { "/assets/": await scriptedAssets(join(scratch, "assets")) } });
  const { page } = await visit({ args: noGpuArgs });
  const chat = chatPage(page, url);
  const { by } = chat;
  const card = (index: number) => by("tool-card").nth(index);
  await chat.open();

  await test.step("nothing is on until it is switched on", async () => {
    await chat.ask("settings");
    await chat.turnIs("done");
    await expect(by("answer-text")).toHaveText('{"said":1}');
  });

  await test.step("mistakes are told at the field", async () => {
    await by("settings-toggle").click();
    await by("functions-on").check();
    await by("functions").fill('[{ "name": "a b" }]');
    await expect(by("functions-problem")).toContainText("has the name “a b”");
    await by("functions").fill('[\n{ "name": x }]');
    await expect(by("functions-problem")).toContainText("line 2, column 11");
    await by("question").fill("weather");
    await by("send").click();
    await expect(by("functions")).toBeFocused();
    await expect(by("question")).toHaveValue("weather");
    await shots(page, "tools-problem");
    await by("functions").fill(definitions);
    await expect(by("functions-problem")).toHaveText("On: get_weather");
  });

  await test.step("a function: wrong arguments, then a result typed by hand", async () => {
    await chat.ask("weather");
    await expect(by("settings")).toBeHidden();
    await expect(by("settings-summary")).toHaveText("functions");
    await expect(card(0)).toHaveAttribute("data-state", "invalid");
    await expect(card(1)).toHaveAttribute("data-state", "waiting");
    await expect(by("tool-arguments").last()).toContainText('"city": "Paris"');
    await expect(page.locator("#announcer")).toContainText("approve or deny");
    await shots(page, "tools-waiting");
    await page.setViewportSize({ width: 390, height: 800 });
    await expect(by("tool-allow"), "the end stays in sight").toBeInViewport();
    await by("tool-approve").press("Enter");
    await expect(by("tool-result-field")).toBeFocused();
    await shots(page, "tools-by-hand");
    await by("tool-result-field").fill("18 °C <|end|> <b>rain</b>");
    await by("tool-send-result").click();
    await chat.turnIs("done");
    await expect(card(1)).toHaveAttribute("data-state", "done");
    await expect(by("tool-time").last()).toHaveText(/^\d+\.\d+ s$/);
    await expect(by("answer-text").last()).toHaveText("It is said: 18 °C <|end|> <b>rain</b>");
    await shots(page, "tools-done");
  });

  await test.step("a denied call goes back to the model, a stopped one nowhere", async () => {
    await newChat(page);
    await chat.ask("weather");
    await by("tool-deny").click();
    await chat.turnIs("done");
    await expect(card(1)).toHaveAttribute("data-state", "denied");
    await expect(by("answer-text")).toContainText("did not allow");
    await chat.ask("weather");
    await by("tool-approve").waitFor();
    await page.keyboard.press("Escape");
    await chat.turnIs("stopped");
    await expect(card(3)).toHaveAttribute("data-state", "stopped");
    await expect(by("tool-approve")).toHaveCount(0);
  });

  await test.step("Python, allowed once for the conversation", async () => {
    await newChat(page);
    await by("settings-toggle").click();
    await by("functions-on").uncheck();
    await by("python-on").check();
    await chat.ask("compute");
    await expect(by("tool-arguments")).toContainText("total = sum(range(10))\nprint(total)");
    await by("tool-allow").check();
    await by("tool-approve").click();
    await chat.turnIs("done");
    await expect(by("tool-card")).toHaveCount(2);
    await expect(by("answer-text")).toHaveText("Python says 90.");
    await newChat(page);
    await chat.ask("compute");
    await by("tool-deny").click(); // asked again, in a new conversation
    await by("tool-approve").click();
    await chat.turnIs("done");
    await page.getByText("Result", { exact: true }).last().click();
    await expect(by("tool-result").last()).toContainText("NameError"); // and its variables are gone
  });

  await test.step("the browser over documents, with citations", async () => {
    await newChat(page);
    await by("settings-toggle").click();
    await by("python-on").uncheck();
    await by("browser-on").check();
    await by("question").fill("read");
    await by("send").click();
    await expect(by("browser-problem")).toContainText("Add at least one document");
    await by("files").setInputFiles([
      { name: "tea notes.txt", mimeType: "text/plain", buffer: Buffer.from("Oolong is partly oxidised.") },
      { name: "photo.png", mimeType: "image/png", buffer: Buffer.from("no text") },
    ]);
    await expect(by("browser-problem")).toContainText("Not added: photo.png");
    await page.getByRole("button", { name: "Paste text…" }).click();
    await by("text-title").fill("Coffee");
    await by("text-body").fill("Coffee is roasted.");
    await by("add-text-now").click();
    await expect(by("documents").locator("li")).toHaveCount(2);
    await shots(page, "tools-panel");
    await by("send").click();
    for (const name of ["search", "open"]) {
      await expect(by("tool-card").last().getByRole("heading")).toHaveText(`browser.${name}`);
      await by("tool-approve").click();
    }
    await chat.turnIs("done");
    const answer = by("answer-text");
    await expect(answer).toContainText("partly oxidised (tea notes.txt)");
    await expect(answer.locator(".citation")).toHaveText("tea notes.txt");
    await expect(answer.locator("a"), "what the model links to is no link").toHaveCount(0);
    await shots(page, "tools-browser");
  });
});

test("settings reach the engine, and JSON answers are a tree", async ({ serve, visit, scratch }) => {
  const { url } = await serve({ mounts: { "/assets/": await scriptedAssets(join(scratch, "assets")) } });
  const { page } = await visit({ args: noGpuArgs });
  const chat = chatPage(page, url);
  const { by } = chat;
  await chat.open();
  await by("settings-toggle").click();
  await by("budget").fill("2.5");
  await expect(by("budget-problem")).toContainText("whole number");
  await by("budget").fill("40");
  await by("format").selectOption("json_schema");
  await by("schema").fill('{"type":"object","not":{}}');
  await expect(by("schema-problem")).toContainText("not");
  await by("schema").fill(personSchema);
  await expect(by("schema-problem")).toBeHidden();
  await by("functions-on").check();
  await by("functions").fill(definitions);
  await by("functions-required").check();
  await by("python-on").check();
  await shots(page, "settings");
  await chat.ask("settings");
  await chat.turnIs("done");
  await by("json-toggle").click();
  const [definition] = JSON.parse(definitions) as { function: unknown }[];
  expect(JSON.parse((await by("json-text").textContent()) ?? "")).toEqual({
    reasoning: { maxTokens: 40, exclude: false },
    responseFormat: { type: "json_schema", name: "person", schema: JSON.parse(personSchema) },
    tools: [definition?.function],
    toolChoice: "required",
    builtinTools: ["python"],
    said: 1,
  });

  await chat.ask("json");
  await chat.turnIs("done");
  const tree = by("json-tree").last();
  await expect(tree).toContainText("address: { } 2 properties");
  await expect(tree).toContainText("<b>");
  await tree.getByText("tags:").click();
  await expect(tree.getByText('"<b>"')).toBeHidden();
  await shots(page, "json");
  await chat.ask("cut");
  await chat.turnIs("done");
  await expect(by("json-kind").last()).toContainText("no valid JSON");
  await expect(by("json-text").last()).toHaveText('{"name":"Anna","age"');
});

test("the nano model keeps to a pasted schema, and its reasoning is hidden", async ({ serve, visit }) => {
  test.setTimeout(300_000);
  const server = await serve();
  const { page } = await visit();
  const chat = chatPage(page, server.url);
  const { by } = chat;
  await chat.open();
  await by("settings-toggle").click();
  await by("format").selectOption("json_schema");
  await by("schema").fill(personSchema);
  await by("hide-reasoning").check();
  await by("budget").fill("8");
  await chat.ask("What is 17 + 25?");
  await chat.turnIs("done");
  await expect(by("reasoning-text")).toHaveCount(0);
  await expect(by("json-view")).toHaveAttribute("data-state", "valid");
  await by("json-toggle").click();
  const value: unknown = JSON.parse((await by("json-text").textContent()) ?? "");
  expect(value).toEqual({ name: expect.any(String), age: expect.any(Number) });
});

async function newChat(page: Page): Promise<void> {
  await page.getByRole("button", { name: "New chat" }).click();
}

/** Narrow and wide, light and dark; nothing may scroll sideways. */
async function shots(page: Page, name: string): Promise<void> {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `e2e/results/${name}-${colorScheme}-${width}.png` });
    }
  }
}
