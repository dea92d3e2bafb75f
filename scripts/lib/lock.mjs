import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./root.mjs";

const pollMs = 200;
/** A lock folder without an owner file this long after its creation belongs to a process that died in between. */
const ownerlessMs = 5000;

/**
 * Runs `action` while no other process of this checkout holds the lock `name`. A dead owner's lock is taken over.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} action
 * @param {string} [folder] where lock folders lie
 * @returns {Promise<T>}
 */
export async function withLock(name, action, folder = join(root, "dist/.locks")) {
  const lock = join(folder, name);
  mkdirSync(folder, { recursive: true });
  while (!take(lock)) {
    if (isAbandoned(lock)) rmSync(lock, { recursive: true, force: true });
    else await sleep(pollMs);
  }
  try {
    return await action();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** @param {string} lock */
function take(lock) {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
  writeFileSync(join(lock, "pid"), String(process.pid));
  return true;
}

/** @param {string} lock */
function isAbandoned(lock) {
  try {
    const pid = Number(readFileSync(join(lock, "pid"), "utf8"));
    return pid > 0 && !isAlive(pid);
  } catch {
    const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    return made !== undefined && Date.now() - made > ownerlessMs;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
