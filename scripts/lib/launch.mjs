import { spawn } from "node:child_process";
import { ensureBuilt } from "./ensure-built.mjs";
import { ensureChromium } from "./ensure-chromium.mjs";
import { ensureInstalled } from "./ensure-installed.mjs";
import { gpuEnvironment } from "./gpu-env.mjs";
import { root } from "./root.mjs";

/** The child's exit code for "no adapter, and SwiftShader was not found": src/desktop uses the same number. */
export const noAdapterExitCode = 86;

/**
 * Runs dist/node/<program>.mjs with this process's arguments, streams and exit code. Where the child finds no
 * adapter and no SwiftShader, Chromium, which brings SwiftShader, is ensured and the child runs once more.
 * @param {"cli" | "bench"} program
 * @returns {Promise<number>} exit code
 */
export async function launch(program) {
  await ensureInstalled();
  await ensureBuilt("node");
  const code = await runChild(program);
  if (code !== noAdapterExitCode) return code;
  process.env.CHROMIUM = await ensureChromium();
  const again = await runChild(program);
  return again === noAdapterExitCode ? 1 : again;
}

/**
 * @param {string} program
 * @returns {Promise<number>}
 */
function runChild(program) {
  const file = `${root}/dist/node/${program}.mjs`;
  const env = { ...process.env, ...gpuEnvironment() };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...process.argv.slice(2)], { env, stdio: "inherit" });
    const forward = (/** @type {NodeJS.Signals} */ signal) => void child.kill(signal);
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    for (const signal of signals) process.on(signal, forward);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const name of signals) process.off(name, forward);
      if (signal !== null) process.kill(process.pid, signal);
      resolve(code ?? 1);
    });
  });
}
