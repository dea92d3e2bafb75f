import { afterEach, describe, expect, test, vi } from "vitest";
import { fakeInfo } from "../testing/fake-engine.ts";
import { nano } from "../text/nano.fixture.ts";
import { chatEvents, localDate } from "./chat.ts";
import type { LoadedModel } from "./loaded-model.ts";
import type { ChatRequest } from "./types.ts";

/** The text of the prompt that a request becomes, from a model that answers nothing. */
async function promptText(request: Partial<ChatRequest>): Promise<string> {
  let prompt: readonly number[] = [];
  const model: Partial<LoadedModel> = {
    tokenizer: nano,
    stopTokens: [],
    config: { vocabSize: nano.vocabSize } as LoadedModel["config"],
    info: { ...fakeInfo, contextLength: 1024 },
    scheduler: {
      // biome-ignore lint/correctness/useYield: it answers nothing
      run: async function* (asked) {
        prompt = asked.prompt;
        return "stop";
      },
      idle: async () => {},
    },
  };
  const messages = [{ role: "user", content: "Hello!" }] as const;
  for await (const _ of chatEvents(model as LoadedModel, { messages, ...request }));
  return nano.decode(prompt);
}

afterEach(() => {
  vi.useRealTimers();
});

describe("the date in the prompt", () => {
  test("is today's unless the request has one", async () => {
    vi.useFakeTimers({ now: new Date(2026, 0, 2, 23, 59), toFake: ["Date"] });
    expect(await promptText({})).toContain("Current date: 2026-01-02\n");
    expect(await promptText({ currentDate: "2025-12-31" })).toContain("Current date: 2025-12-31\n");
  });

  test("is the local one, with two digits for month and day", () => {
    expect(localDate(new Date(2026, 0, 2, 23, 59))).toBe("2026-01-02");
    expect(localDate(new Date(2026, 11, 31, 0, 0))).toBe("2026-12-31");
  });
});
