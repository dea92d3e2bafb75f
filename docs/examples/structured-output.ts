import type { WorkerEngine } from "gpt-oss-webgpu";

const age = { type: "integer", minimum: 0 };
const interests = { type: "array", items: { type: "string" } };
const properties = { name: { type: "string" }, age, interests };
const schema = { type: "object", properties, required: ["name", "age", "interests"] };

export async function extractPerson(engine: WorkerEngine, text: string): Promise<unknown> {
  const messages = [{ role: "user", content: `Who is this about?\n\n${text}` }] as const;
  const responseFormat = { type: "json_schema", name: "person", schema } as const;
  let json = "";
  for await (const event of engine.chat({ messages, responseFormat })) {
    if (event.type === "content") json += event.text; // reasoning is free, the answer is held to the schema
    if (event.type === "done" && event.finishReason !== "stop") throw new Error("The answer was cut off.");
  }
  return JSON.parse(json);
}
