import { createPythonTool, runTools, type WorkerEngine } from "gpt-oss-webgpu";

// Fetches Pyodide (13 MB) from this folder at the first call: put the npm package's files there.
const python = createPythonTool({
  baseUrl: "/pyodide/",
  timeoutMs: 20_000, // what runs longer is ended, and its variables are lost
  memoryLimitBytes: 256 * 2 ** 20,
  keepState: true, // variables and files last from call to call
});

export async function compute(engine: WorkerEngine, question: string, show: (text: string) => void) {
  const request = { messages: [{ role: "user", content: question }], reasoningEffort: "medium" } as const;
  for await (const event of runTools(engine, request, { builtins: [python], approve: "always" })) {
    if (event.type === "tool-start") show(`runs: ${event.call.arguments}`);
    if (event.type === "tool-result") show(`${event.result} (${event.durationMs.toFixed(0)} ms)`);
    if (event.type === "done") show(event.answer.text);
  }
}

export const newConversation = () => python.reset();
