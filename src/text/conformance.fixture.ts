import { browserNamespace, pythonNamespace } from "./harmony-builtin-tools.ts";
import type { ToolNamespace } from "./types.ts";

// The conversations of openai/harmony's own tests (Apache-2.0), written in the JSON form that its renderer takes. The
// expectation is data too: the number of token ids, and the first 16 hex digits of the SHA-256 of the ids joined by
// commas, from openai/harmony's expected texts in its pinned vocabulary.

type Json = Readonly<Record<string, unknown>>;

export interface RenderCase {
  readonly name: string;
  readonly numTokens: number;
  readonly hash: string;
  readonly messages: readonly Json[];
  /** Default true. */
  readonly completion?: boolean;
  /** Default false. */
  readonly keepAnalysis?: boolean;
}

export interface ParseCase {
  readonly name: string;
  readonly numTokens: number;
  readonly hash: string;
  /** What the ids spell, special tokens included. */
  readonly text: string;
  readonly role?: "assistant";
  readonly messages: readonly Json[];
}

const identity = "You are ChatGPT, a large language model trained by OpenAI.";
const allChannels = ["analysis", "commentary", "final"];
const text = (role: string, content: string, more: Json = {}): Json => ({ role, content, ...more });
const system = (more: Json = {}, channels: readonly string[] = allChannels): Json => ({
  role: "system",
  content: [
    {
      type: "system_content",
      model_identity: identity,
      reasoning_effort: "Medium",
      knowledge_cutoff: "2024-06",
      channel_config: { valid_channels: channels, channel_required: true },
      ...more,
    },
  ],
});
const developer = (content: Json): Json => ({
  role: "developer",
  content: [{ type: "developer_content", ...content }],
});
const namespaces = (...given: readonly ToolNamespace[]): Json =>
  Object.fromEntries(
    given.map(({ name, description, functions }) => [name, { name, description, tools: functions }]),
  );
const functions = (...tools: readonly Json[]): Json => ({ functions: { name: "functions", tools } });
const strings = { type: "string" };
const analysis = { channel: "analysis" };
const final = { channel: "final" };

const twoAndTwo = text("user", "What is 2 + 2?");
const capital = text("user", "What is the capital of the largest country in the world?");
const robot = developer({ instructions: "Answer the user's questions like a robot." });
const dated = { conversation_start_date: "2025-06-28" };
const format = { type: "string", enum: ["celsius", "fahrenheit"], default: "celsius" };

const weatherTools = functions(
  { name: "get_location", description: "Gets the location of the user." },
  {
    name: "get_current_weather",
    description: "Gets the current weather in the provided location.",
    parameters: {
      type: "object",
      properties: {
        location: { type: "string", description: "The city and state, e.g. San Francisco, CA" },
        format,
      },
      required: ["location"],
    },
  },
  {
    name: "get_multiple_weathers",
    description: "Gets the current weather in the provided list of locations.",
    parameters: {
      type: "object",
      properties: {
        locations: {
          type: "array",
          items: strings,
          description: 'List of city and state, e.g. ["San Francisco, CA", "New York, NY"]',
        },
        format,
      },
      required: ["locations"],
    },
  },
  {
    name: "kitchensink",
    description: "A function with various complex schemas.",
    parameters: {
      description: "params object",
      type: "object",
      properties: {
        string: { type: "string", title: "STRING", description: "A string", examples: ["hello", "world"] },
        string_nullable: {
          type: "string",
          nullable: true,
          description: "A nullable string",
          default: "the default",
        },
        string_enum: { type: "string", enum: ["a", "b", "c"] },
        oneof_string_or_number: {
          oneOf: [
            { type: "string", default: "default_string_in_oneof" },
            { type: "number", description: "numbers can happen too" },
          ],
          description: "a oneof",
          default: 20,
        },
      },
    },
  },
);

const lookupWeather = functions({
  name: "lookup_weather",
  description:
    "Use this tool to lookup the weather in a given location. Call it with the parameter 'location', can be any textual description of a location.",
  parameters: { type: "object", properties: { location: strings }, required: ["location"] },
});

export const renderCases: readonly RenderCase[] = [
  { name: "simple_convo", numTokens: 64, hash: "68a6f347ce71461c", messages: [system(), twoAndTwo] },
  ...(
    [
      ["Low", "f9687cf919d36488", "c9a6a61b757279e7"],
      ["Medium", "b89e10e3db0c4b38", "385b15cf224dbfe3"],
      ["High", "11077901eddcbbef", "e55cc96b9e0b7919"],
    ] as const
  ).flatMap(([effort, withInstruction, without]): RenderCase[] => {
    const first = system({ reasoning_effort: effort });
    const name = `simple_convo_${effort.toLowerCase()}_effort`;
    return [
      { name, numTokens: 83, hash: withInstruction, messages: [first, robot, capital] },
      { name: `${name}_no_instruction`, numTokens: 68, hash: without, messages: [first, capital] },
    ];
  }),
  {
    name: "reasoning_system_message",
    numTokens: 62,
    hash: "e76090e0460c13fd",
    messages: [system({}, ["analysis", "final"]), twoAndTwo],
  },
  {
    name: "reasoning_system_message_no_instruction",
    numTokens: 66,
    hash: "213ac47def62f68c",
    messages: [
      system({ reasoning_effort: "High" }, ["analysis", "final"]),
      text("user", "What is the best place to eat candy in the world?"),
    ],
  },
  {
    name: "reasoning_system_message_with_dates",
    numTokens: 72,
    hash: "4b6ddf875e611bf8",
    messages: [
      system({ conversation_start_date: "2021-01-01", knowledge_cutoff: "2021-01" }, ["analysis", "final"]),
      text("user", "What is 42 * pi?"),
    ],
  },
  { name: "no_tools", numTokens: 63, hash: "9ec6e37c09d55abc", messages: [system(dated)] },
  {
    name: "browser_tool_only",
    numTokens: 463,
    hash: "8062fec0b0b9b1a9",
    messages: [system({ ...dated, tools: namespaces(browserNamespace) })],
  },
  {
    name: "browser_and_python_tool",
    numTokens: 597,
    hash: "1b80627d0d577652",
    messages: [system({ ...dated, tools: namespaces(pythonNamespace, browserNamespace) })],
  },
  {
    name: "browser_and_function_tool",
    numTokens: 538,
    hash: "510ccba29547f961",
    messages: [
      system({ ...dated, tools: namespaces(browserNamespace) }),
      developer({ tools: lookupWeather }),
    ],
  },
  {
    name: "render_functions_with_parameters",
    numTokens: 364,
    hash: "929477b9adb5ed22",
    messages: [
      system({ ...dated, reasoning_effort: "High" }),
      developer({ instructions: "Always respond in riddles", tools: weatherTools }),
      text("user", "What is the weather like in SF?"),
    ],
  },
  {
    name: "dropping_cot_by_default",
    numTokens: 40,
    hash: "dcff40eebf295607",
    messages: [
      twoAndTwo,
      text("assistant", "User asks: “What is 2 + 2?” Simple arithmetic. Provide answer.", analysis),
      text("assistant", "2 + 2 equals 4.", final),
      text("user", "What about 9 / 2?"),
    ],
  },
  {
    name: "does_not_drop_if_ongoing_analysis",
    numTokens: 79,
    hash: "3d4858c7fb630b70",
    messages: [
      text("user", "What is the weather in SF?"),
      text(
        "assistant",
        "User asks: “What is the weather in SF?” We need to use lookup_weather tool.",
        analysis,
      ),
      text("assistant", '{"location": "San Francisco"}', {
        channel: "commentary",
        recipient: "functions.lookup_weather",
        content_type: "<|constrain|>json",
      }),
      text("tool", '{"temperature": 20, "description": "sunny"}', { name: "functions.lookup_weather" }),
    ],
  },
  {
    name: "preserve_cot",
    numTokens: 67,
    hash: "18a664247888f299",
    keepAnalysis: true,
    messages: [
      twoAndTwo,
      text("assistant", 'User asks a simple question: "What is 2 + 2?" The answer: 4.', analysis),
      text("assistant", "2 + 2 equals 4.", final),
      text("user", "What about 9 / 2?"),
    ],
  },
  {
    name: "keep_analysis_between_finals",
    numTokens: 49,
    hash: "25997626db1c5fa8",
    completion: false,
    messages: [
      twoAndTwo,
      text("assistant", "thinking 2+2", analysis),
      text("assistant", "4", final),
      text("user", "What is 3 + 5?"),
      text("assistant", "thinking 3+5", analysis),
      text("assistant", "8", final),
    ],
  },
];

const currentPresident =
  "User asks \"Who is the current US president?\" It's 2025, presumably current president is Joe Biden? Actually as of 2025-07-28, there was a 2024 election. In 2024, President is probably President Biden still? But w\ne need up to date info. Let's browse to confirm.";
const newsQuery = '{"query": "current US president July 2025", "topn": 10, "source": "news"}';
const searchResult = text("tool", '{"result": "https://openai.com/"}', {
  name: "browser.search",
  recipient: "assistant",
  channel: "commentary",
});

export const parseCases: readonly ParseCase[] = [
  {
    name: "simple_reasoning_response",
    numTokens: 35,
    hash: "7de6c127c7a27a35",
    role: "assistant",
    text: '<|channel|>analysis<|message|>User asks: "What is 2 + 2?" Simple arithmetic. Provide answer.<|return|><|start|>assistant<|channel|>final<|message|>2 + 2 = 4.',
    messages: [
      text("assistant", 'User asks: "What is 2 + 2?" Simple arithmetic. Provide answer.', analysis),
      text("assistant", "2 + 2 = 4.", final),
    ],
  },
  {
    name: "simple_tool_call",
    numTokens: 39,
    hash: "4a205086e6d5ba1c",
    role: "assistant",
    text: '<|channel|>analysis<|message|>User asks: "What is the weather in Tokyo?" We need to use lookup_weather tool.<|return|><|start|>assistant to=lookup_weather<|channel|>analysis code<|message|>{"location": "Tokyo"}',
    messages: [
      text(
        "assistant",
        'User asks: "What is the weather in Tokyo?" We need to use lookup_weather tool.',
        analysis,
      ),
      text("assistant", '{"location": "Tokyo"}', {
        ...analysis,
        recipient: "lookup_weather",
        content_type: "code",
      }),
    ],
  },
  {
    name: "streamable_parser",
    numTokens: 131,
    hash: "b80f452df8c8402d",
    role: "assistant",
    text: `<|channel|>analysis<|message|>${currentPresident}<|end|><|start|>assistant<|channel|>commentary to=browser.search code<|message|>${newsQuery}<|call|><|start|>browser.search to=assistant<|channel|>commentary<|message|>{"result": "https://openai.com/"}<|end|>`,
    messages: [
      text("assistant", currentPresident, analysis),
      text("assistant", newsQuery, {
        recipient: "browser.search",
        channel: "commentary",
        content_type: "code",
      }),
      searchResult,
    ],
  },
  {
    name: "tool_response_parsing",
    numTokens: 21,
    hash: "fa3ac1f7dc128ed8",
    text: '<|start|>browser.search to=assistant<|channel|>commentary<|message|>{"result": "https://openai.com/"}',
    messages: [searchResult],
  },
];
