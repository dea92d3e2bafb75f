import { readFile } from "node:fs/promises";
import { dropAnalysis } from "../../text/drop-analysis.ts";
import { readConversation } from "../../text/harmony-json.ts";
import { renderConversation, renderForCompletion } from "../../text/harmony-render.ts";
import { parseJsonSource } from "../../text/json-source.ts";
import { usageError } from "../exit.ts";
import { parseOptions, refuseFree } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { tokenizerOf } from "../tokenizer-folder.ts";

/** `render`: prints the token ids of a conversation in openai-harmony's JSON form, as a JSON array. */
export async function renderCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const options = parseOptions(
    args,
    {
      tokenizer: { type: "string" },
      file: { type: "string" },
      completion: { type: "boolean" },
      "keep-analysis": { type: "boolean" },
    },
    {},
  );
  refuseFree(options);
  const conversation = readConversation(await readJson(options.required("file")));
  const tokenizer = await tokenizerOf(options);
  const messages = options.flag("keep-analysis") ? conversation : dropAnalysis(conversation);
  const render = options.flag("completion") ? renderForCompletion : renderConversation;
  terminal.out(`${JSON.stringify(render(tokenizer, messages))}\n`);
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw usageError(`--file names ${path}, which cannot be read: ${messageOf(error)}.`);
  });
  try {
    return parseJsonSource(text);
  } catch (error) {
    throw usageError(`--file names ${path}, which is not JSON: ${messageOf(error)}.`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
