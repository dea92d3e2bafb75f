// The commands of package.json up to where they would install, build or open anything.
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { root } from "./lib/root.mjs";

/** @param {string[]} args */
function command(...args) {
  const [name, ...rest] = args;
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}/scripts/${name}.mjs`, ...rest], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

it.each(["start", "ask", "test", "build"])("%s --help says what it takes, in one or two lines", (name) => {
  const outcome = command(name, "--help");
  expect(outcome).toMatchObject({ status: 0, stderr: "" });
  expect(outcome.stdout).toMatch(/^npm (run )?\w+.*: /);
});

it.each([
  [["start", "--port", "many"], /port must be a whole number/],
  [["start", "--colour"], /--colour/],
  [["ask"], /Ask something/],
  [["ask", "--effort", "max", "Hi"], /--effort must be low, medium or high/],
  [["ask", "--timeout", "0", "Hi"], /--timeout must be seconds/],
  [["test", "--only", "some"], /--only must be check, unit, gpu or e2e/],
  [["build", "--fast"], /--fast/],
])("%j is refused in one sentence", (args, sentence) => {
  const outcome = command(...args);
  expect(outcome).toMatchObject({ status: 2, stdout: "" });
  expect(outcome.stderr).toMatch(sentence);
  expect(outcome.stderr.trimEnd().split("\n")).toHaveLength(1);
});
