import { createBrowserTool, createDocumentBackend, runTools, type WorkerEngine } from "gpt-oss-webgpu";

const tea = { url: "https://example.org/tea", title: "Tea", text: "Oolong is partly oxidised." };
const backend = createDocumentBackend([tea]); // full-text search in memory; html instead of text is fine

export async function research(engine: WorkerEngine, question: string, show: (text: string) => void) {
  const browser = createBrowserTool({ backend }); // one per conversation: it holds the pages
  const request = { messages: [{ role: "user", content: question }] } as const;
  let written = "";
  for await (const event of runTools(engine, request, { builtins: [browser], approve: "always" })) {
    if (event.type === "content") {
      written += event.text;
      show(browser.annotate(written, { hidePartial: true }).text); // 【1†L4】 becomes a link
    }
    if (event.type === "done") return event.answer; // text, and annotations of type url_citation
  }
  return undefined;
}
