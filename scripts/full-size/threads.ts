import { readdirSync, readFileSync } from "node:fs";
import { browserProcesses } from "./processes.ts";

/** Seconds of CPU that the threads of a browser have used, by `<process kind>/<thread name>`, largest first. */
export type ThreadSeconds = Readonly<Record<string, number>>;

/** Clock ticks a second, as Linux counts them for programs. */
const ticksPerSecond = 100;

/** Takes the threads' clocks now; the function it returns says what each has used since. Threads of one name are told apart. */
export function watchThreads(profile: string): () => ThreadSeconds {
  const before = clocks(profile);
  return () => {
    const used = new Map<string, number>();
    for (const [thread, { name, seconds }] of clocks(profile)) {
      const since = seconds - (before.get(thread)?.seconds ?? 0);
      if (since < 0.05) continue;
      let label = name;
      for (let i = 2; used.has(label); i += 1) label = `${name} ${i}`;
      used.set(label, Number(since.toFixed(2)));
    }
    return Object.fromEntries([...used].sort(([, a], [, b]) => b - a));
  };
}

function clocks(profile: string): Map<string, { name: string; seconds: number }> {
  const found = new Map<string, { name: string; seconds: number }>();
  for (const { pid, kind } of browserProcesses(profile)) {
    for (const thread of list(`/proc/${pid}/task`)) {
      const stat = read(`/proc/${pid}/task/${thread}/stat`);
      const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
      const fields = rest.split(" ");
      const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime: fields 14 and 15 of the line
      if (Number.isFinite(ticks))
        found.set(`${pid}/${thread}`, { name: `${kind}/${name}`, seconds: ticks / ticksPerSecond });
    }
  }
  return found;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // gone meanwhile
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
