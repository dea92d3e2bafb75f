import { describe, expect, it } from "vitest";
import { isEngineError } from "../errors.ts";
import { checkOptions, nearest } from "./check-options.ts";
import { capabilityRules, chatRules, generateRules, loadOptionRules } from "./option-tables.ts";

const messages = [{ role: "user", content: "Hi" }];

function refusal(options: unknown, table: Parameters<typeof checkOptions>[2], required: string[] = []) {
  try {
    checkOptions("try it", options, table, required);
  } catch (error) {
    if (isEngineError(error, "request-invalid")) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("load options", () => {
  it.each<[object, string]>([
    [{ dense: "int4" }, 'dense is "int4"; expected "bf16" or "int8"'],
    [{ activations: "f16" }, 'activations is "f16"; expected "f32" or "int8"'],
    [{ variant: "x" }, 'variant is "x"; expected "subgroups" or "workgroup"'],
    [{ kvFormat: "f64" }, 'kvFormat is "f64"; expected "f32" or "f16"'],
    [{ tune: "x" }, 'tune is "x"; expected "auto", "table" or "measure"'],
    [{ matrices: "no" }, 'matrices is "no"; expected true or false'],
    [{ contextLength: "8192" }, 'contextLength is "8192"; expected a whole number from 1'],
    [{ contextLength: 0 }, "contextLength is 0; expected a whole number from 1"],
    [{ tuning: [] }, "tuning is a list of 0; expected an object"],
    [{ onProgress: true }, "onProgress is true; expected a function"],
    [{ signal: new AbortController() }, "signal is an object with nothing in it; expected an AbortSignal"],
    [{ kvFormt: "f16" }, "there is no option kvFormt; the nearest is kvFormat"],
    [{ contextlength: 9 }, "there is no option contextlength; the nearest is contextLength"],
    [{ toString: 1 }, "there is no option toString; there are contextLength, kvFormat"],
  ])("refuses %j", (options, sentence) => {
    expect(refusal(options, loadOptionRules).message).toContain(`Cannot try it: ${sentence}`);
  });
  it.each([[null], ["int8"], [[]]])("refuses %j for options", (options) => {
    expect(refusal(options, loadOptionRules).message).toMatch(
      /what was given is .*expected an object with context/,
    );
  });
  it("takes each value that is documented, and undefined for none", () => {
    for (const options of [
      {},
      {
        contextLength: 8192,
        kvFormat: "f16",
        dense: "int8",
        activations: "int8",
        variant: "workgroup",
        tune: "measure",
        matrices: false,
      },
      { tuning: { gateUpVec: { rows: 8 } }, onProgress: () => {}, signal: new AbortController().signal },
      { dense: undefined, signal: undefined },
    ])
      expect(() => checkOptions("load", options, loadOptionRules)).not.toThrow();
  });
  it("names the option for programs", () => {
    expect(refusal({ dense: 8 }, loadOptionRules).details).toEqual({ option: "dense" });
  });
});

describe("chat requests", () => {
  it.each<[unknown, string]>([
    [undefined, "what was given is missing; expected an object with"],
    [{}, "messages is missing; expected a list of messages"],
    [{ messages: "Hi" }, 'messages is "Hi"; expected a list of messages'],
    [{ messages: ["Hi"] }, 'messages[0] is "Hi"; expected an object with role, content'],
    [{ messages: [{ role: "user" }] }, "messages[0].content is missing; expected a text"],
    [{ messages: [{ role: "assistant", content: null }] }, "messages[0].content is null; expected a text"],
    [
      { messages: [{ role: "developer", content: "" }] },
      'messages[0].role is "developer"; expected "system", "user"',
    ],
    [{ messages: [{ role: "tool", content: "" }] }, "messages[0].name is missing; expected a text"],
    [{ messages, temprature: 0 }, "there is no option temprature; the nearest is temperature"],
    [{ messages, maxTokens: 9 }, "there is no option maxTokens; "],
    [{ messages, reasoningEffort: "max" }, 'reasoningEffort is "max"; expected "low", "medium" or "high"'],
    [
      { messages, reasoning: { maxToken: 9 } },
      "there is no option reasoning.maxToken; the nearest is maxTokens",
    ],
    [{ messages, responseFormat: "json" }, 'responseFormat is "json"; expected an object with type'],
    [{ messages, responseFormat: { type: "json" } }, 'responseFormat.type is "json"; expected "text"'],
    [{ messages, tools: [{ type: "function", function: {} }] }, "tools[0].name is missing; expected a text"],
    [{ messages, builtinTools: ["shell"] }, 'builtinTools[0] is "shell"; expected "browser" or "python"'],
    [{ messages, toolChoice: {} }, "toolChoice is an object with nothing in it; expected"],
  ])("refuses %j", (request, sentence) => {
    expect(refusal(request, chatRules, ["messages"]).message).toContain(sentence);
  });
  it("takes what is documented", () => {
    const parameters = { type: "object" };
    for (const more of [
      { reasoningEffort: "low", currentDate: "2026-01-02", temperature: 0, seed: 3, maxNewTokens: 9 },
      {
        tools: [{ name: "f", description: "", parameters }],
        toolChoice: { name: "f" },
        builtinTools: ["python"],
      },
      {
        responseFormat: { type: "json_schema", name: "a", schema: {} },
        reasoning: { maxTokens: 0, exclude: true },
      },
      {
        reasoning: { maxTokens: Number.POSITIVE_INFINITY },
        responseFormat: { type: "text" },
        toolChoice: "auto",
      },
      {
        messages: [
          { role: "assistant", content: "", toolCalls: [{ name: "f", arguments: "{}" }], reasoning: "" },
        ],
      },
    ])
      expect(() => checkOptions("chat", { messages, ...more }, chatRules, ["messages"])).not.toThrow();
  });
});

it("asks a generation for its length", () => {
  expect(refusal({}, generateRules, ["maxNewTokens"]).message).toContain("maxNewTokens is missing");
  expect(refusal({ maxNewTokens: 1, stopTokens: 3 }, generateRules).message).toContain("stopTokens is 3");
});

it("leaves a context that the model has not to the report", () => {
  expect(() => checkOptions("ask", { contextLength: 0, gpuMemoryBytes: 8e9 }, capabilityRules)).not.toThrow();
});

it("finds the nearest name, and none where all are far", () => {
  expect(nearest("kv_format", ["kvFormat", "dense"])).toBe("kvFormat");
  expect(nearest("quantization", ["kvFormat", "dense"])).toBeUndefined();
});
