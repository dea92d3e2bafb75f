import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryPath } from "../src/testing/reference.ts";
import { chatPage } from "./support/chat-page.ts";
import { askedRanges } from "./support/requests.ts";
import { expect, test } from "./support/test.ts";

const brokenTensor = "model.layers.1.self_attn.q_proj.weight";

/** Copies a fixture and swaps the two dimensions of one tensor, in as many bytes. */
async function breakShape(folder: string): Promise<void> {
  await cp(repositoryPath("fixtures/tiny-mxfp4"), folder, { recursive: true });
  const path = join(folder, "model.safetensors");
  const bytes = await readFile(path);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = bytes.toString("latin1", 8, 8 + headerBytes);
  const pattern = new RegExp(
    `("${brokenTensor.replaceAll(".", "\\.")}":\\{[^}]*"shape":\\[)(\\d+),(\\d+)\\]`,
  );
  const broken = header.replace(pattern, "$1$3,$2]");
  expect(broken, "the header was changed").not.toBe(header);
  bytes.write(broken, 8, "latin1");
  await writeFile(path, bytes);
}

test("a checkpoint with one wrong tensor shape is refused by name, before its weights are fetched", async ({
  serve,
  visit,
  scratch,
}) => {
  const folder = join(scratch, "broken");
  await breakShape(folder);
  const server = await serve({ mounts: { "/models/broken/": folder } });
  const { page } = await visit();
  const chat = chatPage(page, server.url);
  await chat.open({ model: `${server.url}models/broken/` });
  await chat.load();
  await chat.failsWith("checkpoint-invalid");
  await expect(chat.by("error")).toContainText(`the tensor ${brokenTensor} is wrong`);
  await chat.modelIs("error");
  const fetched = askedRanges(server.requests).reduce((total, { start, end }) => total + end - start, 0);
  expect(fetched, "only the header was fetched").toBeLessThanOrEqual(65_536);
});

test("a browser whose WebGPU gives no adapter is told so", async ({ serve, visit }) => {
  const server = await serve();
  const { page } = await visit({
    args: ["--no-sandbox", "--disable-background-networking", "--disable-gpu"],
  });
  const chat = chatPage(page, server.url);
  await chat.open();
  await chat.ask("Hello!");
  await chat.failsWith("adapter-unavailable");
  await expect(chat.by("error")).toContainText("WebGPU found no graphics adapter");
  await chat.turnIs("error");
  expect(askedRanges(server.requests), "nothing was downloaded in vain").toEqual([]);
});

test("a page without WebGPU says so: over plain http there is none", async ({ serve, visit }) => {
  const server = await serve();
  const { page } = await visit({
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--enable-unsafe-webgpu",
      "--host-resolver-rules=MAP plain-http.test 127.0.0.1",
    ],
  });
  const chat = chatPage(page, `http://plain-http.test:${server.port}/`);
  await chat.open();
  await chat.ask("Hello!");
  await chat.failsWith("webgpu-unavailable");
  await expect(chat.by("error")).toContainText("This browser has no WebGPU.");
  await expect(chat.by("error")).toContainText("over https");
  await expect(chat.by("retry")).toHaveCount(0);
});

test("a worker that ends in mid-answer is said in a sentence, and trying again answers", async ({
  serve,
  visit,
}) => {
  test.setTimeout(300_000);
  const server = await serve();
  const { page } = await visit();
  const chat = chatPage(page, server.url);
  await chat.open();
  await chat.ask("What is the capital of Japan?");
  await expect(chat.by("reasoning-text")).not.toBeEmpty({ timeout: 120_000 });
  const [worker] = page.workers();
  if (worker === undefined) throw new Error("the page has no worker");
  await worker.evaluate(() => globalThis.close()).catch(() => {});
  await chat.failsWith("worker-died");
  await chat.turnIs("error");
  await chat.by("retry").click();
  await chat.turnIs("done");
  await expect(chat.by("answer-text").last()).toContainText("Tokyo");
});

test("a GPU process that crashes in mid-answer is said in a sentence, and trying again answers", async ({
  serve,
  visit,
}) => {
  test.setTimeout(300_000);
  const server = await serve();
  const { page, context } = await visit();
  const chat = chatPage(page, server.url);
  await chat.open();
  await chat.ask("What is the capital of Japan?");
  await expect(chat.by("reasoning-text")).not.toBeEmpty({ timeout: 120_000 });
  const devtools = await context.browser()?.newBrowserCDPSession();
  if (devtools === undefined) throw new Error("the context has no browser");
  await devtools.send("Browser.crashGpuProcess");
  await chat.failsWith("device-lost");
  await expect(chat.by("error")).toContainText("The graphics device stopped working.");
  await chat.by("retry").click();
  await chat.turnIs("done");
  await expect(chat.by("answer-text").last()).toContainText("Tokyo");
});
