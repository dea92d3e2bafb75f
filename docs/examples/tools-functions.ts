import { type ChatMessage, defineFunction, runTools, type WorkerEngine } from "gpt-oss-webgpu";

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = defineFunction<{ city: string }>(
  { name: "get_weather", description: "Gets the weather of a city.", parameters },
  async ({ city }, { signal }) =>
    (await fetch(`/weather?city=${encodeURIComponent(city)}`, { signal })).json(),
);

export async function answer(engine: WorkerEngine, history: ChatMessage[], show: (text: string) => void) {
  const approve = (call: { name: string; arguments: string }) => confirm(`${call.name}(${call.arguments})?`);
  for await (const event of runTools(engine, { messages: history }, { functions: [weather], approve })) {
    if (event.type === "content") show(event.text);
    if (event.type === "tool-result") show(`${event.call.name}: ${event.result} (${event.durationMs} ms)`);
    if (event.type === "done") history.push(...event.messages); // calls, results and answer
  }
}
