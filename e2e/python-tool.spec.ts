import type { Page } from "@playwright/test";
import type * as Library from "../src/index.ts";
import { repositoryPath } from "../src/testing/reference.ts";
import { expect, test } from "./support/test.ts";

// The Python tool of the built library, in a page that is not ours, on Pyodide as npm has it.

/** Runs in the page. */
declare global {
  var python: Library.PythonTool;
  /** The tool's worker, where the address ends in #probe. */
  var worker: Worker;
}

const mounts = { "/lib/": repositoryPath("dist/lib"), "/pyodide/": repositoryPath("node_modules/pyodide") };
const root = repositoryPath("e2e/harness");

async function openTool(
  page: Page,
  url: string,
  options: Partial<Library.PythonToolOptions> = {},
): Promise<void> {
  await page.goto(url);
  await page.evaluate(async (options) => {
    const address = "/lib/index.js";
    const { createPythonTool } = (await import(address)) as typeof Library;
    const worker = () => {
      globalThis.worker = new Worker("/python-probe.js", { type: "module" });
      return globalThis.worker;
    };
    const probed = location.hash === "#probe" ? { worker } : {};
    globalThis.python = createPythonTool({ baseUrl: "/pyodide/", ...options, ...probed });
  }, options);
}

/** What the model is told. */
function run(page: Page, code: string): Promise<string> {
  return page.evaluate(
    (code) =>
      python
        .run({ name: "python", arguments: code }, { signal: new AbortController().signal })
        .catch((error: Error) => `${error.name}: ${error.message}`),
    code,
  );
}

test("python answers as a notebook does, keeps its state, and reaches nothing outside", async ({
  serve,
  visit,
}) => {
  const server = await serve({ root, mounts });
  const { page } = await visit();
  await openTool(page, `${server.url}#probe`, { memoryLimitBytes: 160 * 2 ** 20, timeoutMs: 30_000 });
  expect(
    server.requests.some(({ path }) => path.startsWith("/pyodide/")),
    "loaded before the first call",
  ).toBe(false);

  await test.step("output, values and errors", async () => {
    expect(await run(page, "import math\nx = 6\nprint('hé😀')\nx * 7")).toBe("hé😀\n42\n");
    expect(await run(page, "_ + x")).toBe("48\n");
    expect(await run(page, "y = 1;")).toMatch(/^\[WARN\] No output available\./);
    expect(await run(page, "'a';")).toMatch(/^\[WARN\]/);
    expect(await run(page, "import asyncio\nawait asyncio.sleep(0.01)\n'awaited'")).toBe("'awaited'\n");
    expect(await run(page, "asyncio.run(asyncio.sleep(0.01, 'ran'))")).toBe("'ran'\n");
    expect(await run(page, '{"code": "1 + 1"}')).toBe("2\n");
    const error = await run(page, "print('before')\ndef f():\n    return 1 / 0\nf()");
    expect(error).toMatch(
      /^before\nTraceback \(most recent call last\):\n {2}File "<cell \d+>", line 4, in <module>\n {4}f\(\)/,
    );
    expect(error).toMatch(/ZeroDivisionError: division by zero\n$/);
    expect(error).not.toContain("_evaluate");
    expect(await run(page, "1 +")).toMatch(/^ {2}File "<cell \d+>", line 1\n {4}1 \+\n[\s\S]*SyntaxError/);
    expect(await run(page, "input()")).toContain("EOFError");
    expect(await run(page, "raise SystemExit(3)")).toBe("SystemExit: 3\n");
    expect(await run(page, "open('/mnt/data/a.txt', 'w').write('kept')")).toBe("4\n");
    expect(await run(page, "open('/mnt/data/a.txt').read()")).toBe("'kept'\n");
    expect(await run(page, "print('x' * 30000)")).toMatch(/^x{20000}\n\[cut: 10001 more characters\]\n$/);
    expect(await run(page, "def r(n): return r(n + 1)\nr(0)")).toContain("RecursionError");
  });

  await test.step("no way out", async () => {
    const before = server.requests.length;
    for (const code of [
      "import js",
      "import pyodide_js",
      "import pyodide.http",
      "from pyodide.code import run_js",
    ]) {
      expect(await run(page, code), code).toMatch(/ModuleNotFoundError|ImportError/);
    }
    const url = `${server.url}stolen`;
    const fetches = `import urllib.request\nurllib.request.urlopen(${JSON.stringify(url)}, timeout=2).read()`;
    expect(await run(page, fetches)).toMatch(/Error/);
    // A determined program: any proxy of a JavaScript object that the interpreter holds, and from there the
    // constructor of functions.
    const hunt = [
      "import gc",
      "from pyodide.ffi import JsProxy",
      "found, seen, todo = [], set(), gc.get_objects()",
      "while todo:",
      "    o = todo.pop()",
      "    if id(o) in seen: continue",
      "    seen.add(id(o))",
      "    if isinstance(o, JsProxy): found.append(o)",
      "    else: todo.extend(gc.get_referents(o))",
      "results = set()",
      "for proxy in found:",
      "    for path in (['constructor'], ['constructor', 'constructor']):",
      "        try:",
      "            at = proxy",
      "            for name in path: at = getattr(at, name)",
      `            results.add(str(at('return fetch("${url}")')()))`,
      "        except BaseException as error:",
      "            results.add(str(error).splitlines()[0])",
      "print(len(found) > 0, results)",
    ];
    const hunted = await run(page, hunt.join("\n"));
    expect(hunted).toMatch(/^True \{/);
    expect(hunted).toContain("Code from text is off here");
    expect(server.requests.slice(before).map(({ path }) => path)).toEqual([]);
    const left = await page.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const { worker } = globalThis;
          worker.addEventListener("message", ({ data }) => data.type === "probed" && resolve(data.names));
          worker.postMessage({ type: "probe" });
        }),
    );
    expect(left).toContain("WebAssembly");
    const outward =
      /[fF]etch|Request|Socket|Transport|EventSource|import|Worker$|Storage|indexedDB|caches|[nN]avigator|Font|[fF]onts|Broadcast|Channel|^post|File|Lock|GPU|Notification|RTC[A-Z]/;
    expect(left.filter((name) => outward.test(name))).toEqual(["MessageChannel"]);
  });

  await test.step("memory limit", async () => {
    expect(await run(page, "b = bytearray(300 * 2**20)")).toContain("MemoryError");
    expect(await run(page, "x")).toBe("6\n");
  });

  await test.step("C functions that run JavaScript", async () => {
    const before = server.requests.length;
    const script = `fetch(${JSON.stringify(`${server.url}stolen`)})`;
    const told = await run(page, `import ctypes\nctypes.CDLL(None).emscripten_run_script(b'${script}')`);
    expect(told).toMatch(/^ToolFailure: [\s\S]*Code from text is off here[\s\S]*Python will be started anew/);
    expect(server.requests.slice(before).map(({ path }) => path)).toEqual([]);
    expect(await run(page, "'x' in globals()")).toBe("False\n");
  });
});

test("python that takes too long is ended, and so is one whose request is aborted", async ({
  serve,
  visit,
}) => {
  const server = await serve({ root, mounts });
  const { page } = await visit();
  await openTool(page, server.url, { timeoutMs: 1000 });
  expect(await run(page, "z = 1")).toMatch(/^\[WARN\]/);
  expect(await run(page, "print('partial')\nwhile True: pass")).toBe(
    "ToolFailure: partial\n[ERROR] Timed out after 1 seconds. Python will be started anew: variables and files are lost.",
  );
  await expect.poll(() => page.workers().length).toBe(0);
  expect(await run(page, "z")).toContain("NameError");

  const aborted = await page.evaluate(async () => {
    const abort = new AbortController();
    const running = python.run({ name: "python", arguments: "while True: pass" }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 100);
    return running.catch((error: Error) => error.name);
  });
  expect(aborted).toBe("AbortError");
  await expect.poll(() => page.workers().length).toBe(0);

  await page.evaluate(() => python.dispose());
  expect(await run(page, "1")).toContain("EngineError");

  await openTool(page, server.url, { baseUrl: "/nowhere/" });
  expect(await run(page, "1")).toMatch(/^ToolFailure: \[ERROR\] Python could not be started: /);
});
