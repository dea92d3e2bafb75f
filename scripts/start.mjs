// npm start [-- --port N --host ADDRESS]: installs what is missing, builds the page and serves it until Ctrl-C.
import { parseArgs } from "node:util";
import { ensureBuilt } from "./lib/ensure-built.mjs";
import { ensureInstalled } from "./lib/ensure-installed.mjs";
import { LauncherError, runMain } from "./lib/fail.mjs";
import { root } from "./lib/root.mjs";
import { createStaticServer } from "./lib/static-server.mjs";

const usage = `npm start [-- --port N --host ADDRESS]: serves the chat page until Ctrl-C, at 127.0.0.1:4173 unless told otherwise
(the environment variable PORT also names the port; 0 takes a free one).`;

const defaultPort = "4173";

/** @param {string} text */
function parsePort(text) {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new LauncherError(
    `The port must be a whole number from 0 to 65535, and this is ${JSON.stringify(text)}.`,
    2,
  );
}

await runMain(async () => {
  const { values } = parseArgs({
    options: { port: { type: "string" }, host: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) return console.log(usage);
  const port = parsePort(values.port ?? (process.env.PORT || defaultPort));
  const host = values.host ?? "127.0.0.1";
  await ensureInstalled();
  await ensureBuilt("page");
  const server = await createStaticServer({ root: `${root}/dist/page`, port, host });
  if (port !== 0 && server.port !== port) console.error(`Port ${port} is taken, so this is another one.`);
  if (host !== "127.0.0.1" && host !== "localhost") {
    console.error(
      "Browsers give WebGPU only to https and to localhost: for other machines put https in front.",
    );
  }
  const end = () => void server.close().then(() => process.exit(0));
  process.on("SIGINT", end).on("SIGTERM", end);
  console.log(`gpt-oss-webgpu is at ${server.url}`);
});
