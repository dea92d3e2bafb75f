/** Longest that messages wait while a worker works on in tasks of its own. */
const everyMs = 200;

let lastMs = 0;
let pause: Promise<void> | undefined;

/**
 * Lets messages be answered, five times a second; otherwise it takes no time. Whoever works through many chunks calls
 * it between them: Chromium 156 takes the ends of digests before messages, so that a worker which always has one under
 * way and reads in place answers none, and the page thinks it dead. All callers pause together.
 */
export function breathe(): Promise<void> {
  if (pause === undefined && performance.now() - lastMs >= everyMs) {
    pause = new Promise((resolve) => {
      setTimeout(() => {
        lastMs = performance.now();
        pause = undefined;
        resolve();
      });
    });
  }
  return pause ?? Promise.resolve();
}
