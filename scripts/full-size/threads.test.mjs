import { spawn } from "node:child_process";
import { afterAll, expect, it } from "vitest";
import { watchThreads } from "./threads.ts";

const profile = `/tmp/no-such-profile-threads-${process.pid}`;
/** A shell that stands for a browser: it works until it is ended. */
const busy = spawn("bash", ["-c", "while :; do :; done", "chromium", `--user-data-dir=${profile}`], {
  stdio: "ignore",
});
afterAll(() => busy.kill("SIGKILL"));

it("tells what the threads of a browser have worked since, also of one that has ended", async () => {
  const usedSeconds = watchThreads(profile);
  await new Promise((resolve) => setTimeout(resolve, 900));
  busy.kill("SIGKILL");
  await new Promise((resolve) => busy.once("exit", resolve));
  const used = usedSeconds();
  expect(Object.keys(used)).toEqual(["browser/bash"]);
  expect(used["browser/bash"]).toBeGreaterThan(0.04);
  expect(used["browser/bash"]).toBeLessThan(1.5);
});
