import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { jsonSchemaGrammar } from "../../grammar/json-schema-grammar.ts";
import type { ChatRequest, Engine, GenerateStats } from "../../runtime/types.ts";
import { isDate } from "../../text/chat-prompt.ts";
import type { ResponseFormat } from "../../text/chat-types.ts";
import { cutOffError, usageError } from "../exit.ts";
import { withModel } from "../open-model.ts";
import { type Options, parseOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/**
 * `chat`: answers one question; reasoning to stderr, the answer to stdout, both as they are made, but JSON only once it is
 * complete. Greedy unless --temperature is given.
 */
export async function chatCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const options = parseOptions(args, {
    effort: { type: "string" },
    temperature: { type: "string" },
    seed: { type: "string" },
    date: { type: "string" },
    "max-new-tokens": { type: "string" },
    "json-schema": { type: "string" },
    "json-object": { type: "boolean" },
    "max-reasoning-tokens": { type: "string" },
    "hide-reasoning": { type: "boolean" },
    stats: { type: "boolean" },
  });
  const question = options.free.join(" ").trim();
  if (question === "")
    throw usageError('There is no question: put it last, in quotes, such as "What is 17 + 25?".');
  const responseFormat = readResponseFormat(options);
  const request = {
    messages: [{ role: "user", content: question } as const],
    ...chatOptions(options),
    ...(responseFormat === undefined ? {} : { responseFormat }),
  };
  const stats = options.flag("stats");
  await withModel(options, { needsText: true }, terminal, (engine) =>
    answer(engine, request, stats, terminal),
  );
}

function chatOptions(options: Options) {
  const seed = options.number("seed", { least: 0, most: 2 ** 32 - 1 });
  const currentDate = options.text("date");
  if (currentDate !== undefined && !isDate(currentDate))
    throw usageError(`--date must be a day as YYYY-MM-DD, got "${currentDate}".`);
  const maxNewTokens = options.number("max-new-tokens", { least: 1, most: 2 ** 31 });
  const maxTokens = options.number("max-reasoning-tokens", { least: 0, most: 2 ** 31 });
  const exclude = options.flag("hide-reasoning");
  return {
    reasoningEffort: options.choice("effort", ["low", "medium", "high"]) ?? "medium",
    temperature: options.number("temperature", { least: 0, most: 100, whole: false }) ?? 0,
    ...(seed === undefined ? {} : { seed }),
    ...(currentDate === undefined ? {} : { currentDate }),
    ...(maxNewTokens === undefined ? {} : { maxNewTokens }),
    ...(maxTokens === undefined && !exclude
      ? {}
      : { reasoning: { exclude, ...(maxTokens === undefined ? {} : { maxTokens }) } }),
  } as const;
}

/** `--json-schema FILE` or `--json-object`. A schema that cannot be enforced is told before a GPU is opened. @throws request-invalid */
function readResponseFormat(options: Options): ResponseFormat | undefined {
  const file = options.text("json-schema");
  if (file === undefined) return options.flag("json-object") ? { type: "json_object" } : undefined;
  if (options.flag("json-object")) throw usageError("--json-schema and --json-object exclude each other.");
  const schema = readJson(file);
  jsonSchemaGrammar(schema);
  const name = basename(file, ".json")
    .replace(/[^\w-]/g, "_")
    .slice(0, 64);
  return { type: "json_schema", name, schema };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8").replace(/^\uFEFF/, ""));
  } catch (error) {
    throw usageError(
      `--json-schema ${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Writes one answer. @throws aborted, reason `cut-off`, for JSON that is not complete */
export async function answer(
  engine: Engine,
  request: ChatRequest,
  withStats: boolean,
  { out, err }: Terminal,
): Promise<void> {
  const isJson = request.responseFormat !== undefined;
  let reasoned = false;
  let json = "";
  for await (const event of engine.chat(request)) {
    switch (event.type) {
      case "reasoning":
        reasoned = true;
        err(event.text);
        break;
      case "content":
        if (reasoned) err("\n");
        reasoned = false;
        if (isJson) json += event.text;
        else out(event.text);
        break;
      case "tool-call":
        out(`${event.name}(${event.arguments})`);
        break;
      case "recovery":
        break;
      case "done":
        if (reasoned) err("\n");
        if (withStats) err(`${statsLine(event.stats)}\n`);
        if (isJson && event.finishReason !== "stop") throw cutOffJson(json);
        out(`${json}\n`);
        if (event.finishReason === "length") err(`(${whyCutOff})\n`);
        break;
      default:
        event satisfies never;
    }
  }
}

const whyCutOff = "cut off: the context or --max-new-tokens is used up";

const cutOffJson = (json: string) =>
  cutOffError(
    json === ""
      ? `No JSON was written (${whyCutOff}).`
      : `The JSON is not complete (${whyCutOff}), so it is not on stdout. So far: ${json}`,
  );

const statsLine = ({ promptTokens, newTokens, timeToFirstTokenMs, decodeTokensPerSecond }: GenerateStats) =>
  `(${promptTokens} + ${newTokens} tokens, first after ${timeToFirstTokenMs.toFixed(0)} ms, then ${decodeTokensPerSecond.toFixed(1)} tokens/s)`;
