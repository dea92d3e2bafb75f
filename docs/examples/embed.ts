// A page that loads a checkpoint and answers one question. Compiled with the project (`npm run check`).
import { createWorkerEngine, isEngineError } from "gpt-oss-webgpu";

export async function answer(question: string, show: (kind: string, text: string) => void): Promise<void> {
  const engine = createWorkerEngine(); // starts a module worker; nothing is fetched yet
  try {
    const info = await engine.load(
      { baseUrl: "https://huggingface.co/openai/gpt-oss-20b" },
      {
        contextLength: 8192,
        onProgress: ({ phase, loadedBytes, totalBytes }) =>
          show(phase, `${((100 * loadedBytes) / totalBytes).toFixed(1)} %`),
      },
    );
    show("adapter", `${info.adapter.vendor} ${info.adapter.description}, kernels: ${info.variant}`);

    const request = { messages: [{ role: "user", content: question }], reasoningEffort: "low" } as const;
    for await (const event of engine.chat(request)) {
      if (event.type === "reasoning") show("reasoning", event.text); // unfiltered: not meant for end users as it is
      if (event.type === "content") show("answer", event.text);
      if (event.type === "done") show("done", `${event.stats.decodeTokensPerSecond.toFixed(1)} tokens/s`);
    }
  } catch (error) {
    if (!isEngineError(error)) throw error;
    show(error.code, error.message); // docs/troubleshooting.md says what each code means
  } finally {
    engine.dispose(); // ends the worker; what was downloaded stays in IndexedDB
  }
}
