import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { repositoryPath } from "../src/testing/reference.ts";
import { expect, test } from "./support/test.ts";

// The commands that a newcomer types first, as package.json starts them.

const script = (name: string) => repositoryPath(`scripts/${name}.mjs`);

/** The address that `npm start` prints once it serves. */
async function printedUrl(child: ChildProcess): Promise<string> {
  let printed = "";
  for await (const piece of child.stdout ?? []) {
    printed += String(piece);
    const url = /http:\S+/.exec(printed)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error(`npm start ended without an address: ${printed}`);
}

test("npm start serves the page and its model until it is told to end", async ({ built: _ }) => {
  const child = spawn(process.execPath, [script("start"), "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const url = await printedUrl(child);
    const page = await fetch(url);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await page.text()).toContain("<script");
    const config = await fetch(new URL("models/gpt-oss-nano/config.json", url));
    expect(await config.json()).toMatchObject({ model_type: "gpt_oss" });
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    await expect(fetch(url)).rejects.toThrow();
  } finally {
    child.kill("SIGKILL");
  }
});

test("npm run ask prints the reasoning and the answer", async ({ built: _ }) => {
  const args = [script("ask"), "What is 17 + 25?", "--effort", "low", "--timeout", "150"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const [, reasoning = "", answer = ""] = /^Reasoning:\n(.*)\n\nAnswer:\n(.*)\n$/s.exec(stdout) ?? [];
  expect(reasoning.trim()).not.toBe("");
  expect(answer).toContain("42");
});
