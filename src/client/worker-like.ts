/** What is used of a Worker; a test's stand-in over a MessagePort has it too. */
export type WorkerLike = Pick<
  Worker,
  "postMessage" | "addEventListener" | "removeEventListener" | "terminate"
>;
