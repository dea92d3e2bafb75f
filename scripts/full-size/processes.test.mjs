import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, describe, expect, it } from "vitest";
import { browserProcesses, killBrowser, ownMemory, proportionalBytes } from "./processes.ts";

const profile = `/tmp/no-such-profile-${process.pid}`;
/** A shell that stands for a browser, with one child whose arguments are one text, as Chromium's are. */
const script = `dashes=--; exec -a "chromium \${dashes}type=gpu-process --more" sleep 60 & wait`;
const browser = spawn("bash", ["-c", script, "chromium", `--user-data-dir=${profile}`], { stdio: "ignore" });
afterAll(() => browser.kill("SIGKILL"));

describe("the processes of a browser", () => {
  it("are found by the profile and told by kind, and are all ended", async () => {
    await expect
      .poll(() =>
        browserProcesses(profile)
          .map(({ kind }) => kind)
          .sort(),
      )
      .toEqual(["browser", "gpu-process"]);
    const family = browserProcesses(profile);
    expect(family.every(({ rssBytes }) => rssBytes > 100_000)).toBe(true);
    expect(proportionalBytes(browser.pid ?? 0)).toBeGreaterThan(10_000);
    expect(browserProcesses("/tmp/another-profile")).toEqual([]);
    const ended = once(browser, "exit");
    expect(await killBrowser(profile)).toBe(2);
    expect((await ended)[1]).toBe("SIGKILL");
    expect(browserProcesses(profile)).toEqual([]);
  });

  it("leave this one's memory to be asked", () => {
    const { rssBytes, peakBytes } = ownMemory();
    expect(rssBytes).toBeGreaterThan(20e6);
    expect(peakBytes).toBeGreaterThanOrEqual(rssBytes);
  });
});
