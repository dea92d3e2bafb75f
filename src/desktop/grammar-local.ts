import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { loadXgrammar, type Xgrammar } from "../grammar/grammar-host.ts";
import { openLocalPort } from "../grammar/local-port.ts";
import type { GrammarPort } from "../grammar/protocol.ts";

let copies = 0;

/** A grammar host in this thread, for programs run from source. A copy of the package each: a crash breaks the copy alone. */
export const openLocalGrammar = (): GrammarPort => openLocalPort(freshXgrammar);

async function freshXgrammar(): Promise<Xgrammar> {
  copies += 1;
  const installed = installedUrl();
  const url = installed === undefined ? import.meta.url : `${installed}?copy=${copies}`;
  const scope = globalThis as { location?: unknown };
  const before = scope.location;
  // The script asks for its own address in ways that Node's modules do not have, unless there is a location.
  scope.location = { href: url };
  try {
    const xgrammar = await loadXgrammar(
      installed === undefined ? undefined : () => import(/* @vite-ignore */ url),
    );
    await xgrammar.Grammar.fromEBNF('root ::= "a"'); // makes it start while the location is there
    return xgrammar;
  } finally {
    scope.location = before;
    if (before === undefined) delete scope.location;
  }
}

/** Where the package is; undefined in a program that was bundled with it and runs elsewhere. */
function installedUrl(): string | undefined {
  try {
    return pathToFileURL(createRequire(import.meta.url).resolve("@mlc-ai/web-xgrammar")).href;
  } catch {
    return undefined;
  }
}
