import {
  type AnnotatedText,
  type BrowserBackend,
  type BrowserTool,
  type BuiltinTool,
  createBrowserTool,
  createPythonTool,
  type FunctionTool,
  type NumberedCall,
  type PythonTool,
  type RunToolsOptions,
  type ToolContext,
} from "../../src/index.ts";

/** The tools that a question may use: all off unless named. */
export interface ToolChoices {
  readonly browser?: BrowserBackend;
  readonly python?: boolean;
  readonly functions?: readonly FunctionTool[];
}

/** Who is asked about calls: the turn's view. */
export interface CallDesk {
  /** Whether the user lets a call run. `allow` marks its tool as allowed for the conversation. */
  approve(call: NumberedCall, allow: () => void): Promise<boolean>;
  /** The result of a pasted function, which only the user can know. */
  result(call: NumberedCall, signal: AbortSignal): Promise<string>;
}

/** What a conversation's tools remember. */
export interface ConversationTools {
  /** What to run a turn's calls with. */
  options(choices: ToolChoices, desk: CallDesk): RunToolsOptions;
  /** The browser's citations as links; text as it is where there is no browser. */
  annotate(text: string, options: { readonly hidePartial: boolean }): AnnotatedText;
  /** Forgets pages, variables and permissions: for a new conversation. */
  reset(): void;
}

/** The longest delay that a timer takes. */
const asLongAsItTakesMs = 2 ** 31 - 1;

/** Tools are made at their first use. `makePython` is replaced in tests. */
export function createConversationTools(
  makePython: () => PythonTool = () => createPythonTool({ baseUrl: "pyodide/" }),
): ConversationTools {
  let browser: BrowserTool | undefined;
  let backend: BrowserBackend | undefined;
  let python: PythonTool | undefined;
  const allowed = new Set<string>();

  /** Reads the backend anew at each call: the user may add documents while a conversation goes on. */
  const currentBackend: BrowserBackend = {
    search: async (query, topn, signal) => live().search(query, topn, signal),
    open: async (url, signal) => live().open(url, signal),
  };
  function live(): BrowserBackend {
    if (backend === undefined) throw new Error("There is nothing to browse.");
    return backend;
  }

  function builtins(choices: ToolChoices): BuiltinTool[] {
    const tools: BuiltinTool[] = [];
    if (choices.browser !== undefined) {
      backend = choices.browser;
      browser ??= createBrowserTool({ backend: currentBackend });
      tools.push(browser);
    }
    if (choices.python === true) {
      python ??= makePython();
      tools.push(python);
    }
    return tools;
  }

  return {
    options: (choices, desk) => {
      // Calls run one after the other, and each is approved before it runs: this is the one under way.
      let current: NumberedCall | undefined;
      const run = (_: unknown, { signal }: ToolContext) => {
        if (current === undefined) throw new Error("The function runs unasked.");
        return desk.result(current, signal);
      };
      return {
        functions: (choices.functions ?? []).map((tool) => ({ ...tool, run, timeoutMs: asLongAsItTakesMs })),
        builtins: builtins(choices),
        approve: async (call) => {
          current = call;
          const tool = toolOf(call);
          return allowed.has(tool) || (await desk.approve(call, () => void allowed.add(tool)));
        },
      };
    },
    annotate: (text, options) => browser?.annotate(text, options) ?? { text, annotations: [] },
    reset: () => {
      allowed.clear();
      browser = undefined;
      python?.reset();
    },
  };
}

/** The tool that a call belongs to: `browser` for `browser.search`. */
export function toolOf({ name }: Pick<NumberedCall, "name">): string {
  return name.split(".", 1)[0] ?? name;
}
