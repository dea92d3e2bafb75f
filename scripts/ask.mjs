// npm run ask -- "question" [--effort low|medium|high] [--timeout SECONDS]: asks the built page in headless Chromium.
import { parseArgs } from "node:util";
import { askPage } from "./lib/ask-page.mjs";
import { openPage } from "./lib/browser.mjs";
import { ensureBuilt } from "./lib/ensure-built.mjs";
import { ensureChromium } from "./lib/ensure-chromium.mjs";
import { ensureInstalled } from "./lib/ensure-installed.mjs";
import { LauncherError, runMain } from "./lib/fail.mjs";
import { root } from "./lib/root.mjs";
import { createStaticServer } from "./lib/static-server.mjs";

const usage =
  'npm run ask -- "question" [--effort low|medium|high] [--timeout SECONDS]: asks the embedded model in headless Chromium.';

const efforts = ["low", "medium", "high"];

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      effort: { type: "string", default: "medium" },
      timeout: { type: "string", default: "300" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return undefined;
  const question = positionals.join(" ").trim();
  if (question === "") throw new LauncherError('Ask something, e.g. npm run ask -- "What is 17 + 25?"', 2);
  if (!efforts.includes(values.effort)) {
    throw new LauncherError(`--effort must be low, medium or high, and this is ${values.effort}.`, 2);
  }
  const timeoutMs = Number(values.timeout) * 1000;
  if (!(timeoutMs > 0))
    throw new LauncherError(`--timeout must be seconds, and this is ${values.timeout}.`, 2);
  return { question, effort: values.effort, timeoutMs };
}

await runMain(async () => {
  const request = readArguments();
  if (request === undefined) return console.log(usage);
  await ensureInstalled();
  await ensureBuilt("page");
  const executablePath = await ensureChromium();
  const server = await createStaticServer({ root: `${root}/dist/page` });
  try {
    // Greedy, so that the same question gets the same answer.
    const opened = await openPage({ executablePath, url: `${server.url}?temperature=0` });
    try {
      const { reasoning, answer } = await askPage(opened.page, request);
      console.log(`Reasoning:\n${reasoning}\n\nAnswer:\n${answer}`);
    } finally {
      await opened.close();
    }
  } finally {
    await server.close();
  }
});
