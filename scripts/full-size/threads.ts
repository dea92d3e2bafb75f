import { readdirSync, readFileSync } from "node:fs";
import { browserProcesses } from "./processes.ts";

/** Seconds of CPU that the threads of a browser have used, by `<process kind>/<thread name>`, largest first. */
export type ThreadSeconds = Readonly<Record<string, number>>;

/** Clock ticks a second, as Linux counts them for programs. */
const ticksPerSecond = 100;

/** Threads may end before anyone asks. */
const everyMs = 250;

/**
 * Takes the threads' clocks from now on, until the function it returns is called: that says what each has used. Threads of
 * one name are told apart by numbers.
 */
export function watchThreads(profile: string): () => ThreadSeconds {
  const before = clocks(profile);
  const latest = new Map(before);
  const sample = () => {
    for (const [thread, clock] of clocks(profile)) latest.set(thread, clock);
  };
  const timer = setInterval(sample, everyMs);
  return () => {
    clearInterval(timer);
    sample();
    const used = [...latest]
      .map(([thread, { name, seconds }]) => ({ name, seconds: seconds - (before.get(thread)?.seconds ?? 0) }))
      .filter(({ seconds }) => seconds >= 0.05)
      .sort((a, b) => b.seconds - a.seconds);
    const named = new Map<string, number>();
    for (const { name, seconds } of used) {
      let label = name;
      for (let i = 2; named.has(label); i += 1) label = `${name} ${i}`;
      named.set(label, Number(seconds.toFixed(2)));
    }
    return Object.fromEntries(named);
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
