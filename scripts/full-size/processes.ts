import { readdirSync, readFileSync } from "node:fs";

/** What a process of Chromium is for: `browser`, `renderer`, `gpu-process`, `utility` and so on. */
export interface BrowserProcess {
  readonly pid: number;
  readonly parent: number;
  readonly kind: string;
  readonly command: readonly string[];
  /** Resident bytes now; 0 for one that is gone. */
  readonly rssBytes: number;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // gone meanwhile
  }
};

function processes(): BrowserProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      // Arguments end with a zero, but Chromium's child processes write them as one text with spaces.
      const command = read(`/proc/${name}/cmdline`).split(/[\0 ]/);
      const status = read(`/proc/${name}/status`);
      const field = (pattern: RegExp) => Number(pattern.exec(status)?.[1] ?? 0);
      return {
        pid: Number(name),
        parent: field(/^PPid:\s+(\d+)/m),
        kind: command.find((part) => part.startsWith("--type="))?.slice("--type=".length) ?? "browser",
        command,
        rssBytes: field(/^VmRSS:\s+(\d+) kB/m) * 1024,
      };
    });
}

/** The browser that has this profile folder, and every process below it. Linux only. */
export function browserProcesses(profile: string): BrowserProcess[] {
  const all = processes();
  const main = all.find(
    ({ kind, command }) => kind === "browser" && command.includes(`--user-data-dir=${profile}`),
  );
  if (main === undefined) return [];
  const family = new Set([main.pid]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => family.has(pid));
}

/** Memory of a process in bytes in which pages that n processes share count as one n-th each; 0 where it cannot be read. */
export const proportionalBytes = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;

/** Ends a browser as a power cut would, and waits until nothing of it is left. */
export async function killBrowser(profile: string): Promise<number> {
  const family = browserProcesses(profile);
  for (const { pid } of family) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // ended by itself once its browser was gone
    }
  }
  const isThere = (pid: number) =>
    read(`/proc/${pid}/stat`) !== "" && !/\) Z /.test(read(`/proc/${pid}/stat`));
  for (let wait = 0; wait < 100 && family.some(({ pid }) => isThere(pid)); wait += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  return family.length;
}

/** Resident bytes of this process: now and at most so far. */
export function ownMemory(): { rssBytes: number; peakBytes: number } {
  const status = read("/proc/self/status");
  const field = (pattern: RegExp) => Number(pattern.exec(status)?.[1] ?? 0) * 1024;
  return { rssBytes: field(/^VmRSS:\s+(\d+) kB/m), peakBytes: field(/^VmHWM:\s+(\d+) kB/m) };
}
