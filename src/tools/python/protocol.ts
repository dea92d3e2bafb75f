/** What the Python tool sends its worker: first `start`, then one `run` at a time. */
export type PythonRequest =
  | { readonly type: "start"; readonly baseUrl: string; readonly memoryLimitBytes: number }
  | { readonly type: "run"; readonly code: string };

/** What the worker answers: `ready` or `failed` to a start; pieces of output, then `done`, to a run. */
export type PythonReply =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "output"; readonly stream: "stdout" | "stderr"; readonly text: string }
  /** `isBroken`: the interpreter itself failed and can run nothing more. */
  | { readonly type: "done"; readonly isBroken: boolean };
