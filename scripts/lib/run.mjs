import { spawn } from "node:child_process";
import { root } from "./root.mjs";

/**
 * Runs a program in the repository root with its output on stderr, so that stdout stays the caller's.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, stdout?: "stderr" | "inherit" | "ignore" }} [options]
 * @returns {Promise<number>} exit code; 127 where the program cannot be started, 128 where a signal ended it
 */
export function run(program, args, options = {}) {
  const stdout = { stderr: 2, inherit: 1, ignore: "ignore" }[options.stdout ?? "stderr"];
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: options.env ?? process.env,
      stdio: ["ignore", /** @type {number | "ignore"} */ (stdout), 2],
    });
    child.on("error", (error) => {
      console.error(`${program} cannot be started: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code) => resolve(code ?? 128));
  });
}

/**
 * `run` for a JavaScript file under the repository root, e.g. the bin of an installed package.
 * @param {string} file relative to the root
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, stdout?: "stderr" | "inherit" | "ignore" }} [options]
 */
export function runNode(file, args, options) {
  return run(process.execPath, [`${root}/${file}`, ...args], options);
}
