import type { CompiledGrammar, GrammarCompiler, GrammarMatcher } from "@mlc-ai/web-xgrammar";
import { createLengthGuard, type LengthGuard, type TokenLengths, tokenLengths } from "./length-guard.ts";
import type { GrammarCall, GrammarReply, GrammarRequest } from "./protocol.ts";
import { createUtf8Guard, type Utf8Guard } from "./utf8-guard.ts";
import { vocabularyBytes } from "./vocabulary.ts";

/** The package as it is used here. */
export type Xgrammar = typeof import("@mlc-ai/web-xgrammar");

/**
 * Loads xgrammar. It is a script that exports in a bundle, and that sets a global where a module system finds no exports
 * in it, such as Node's.
 */
export async function loadXgrammar(
  load: () => Promise<unknown> = () => import("@mlc-ai/web-xgrammar"),
): Promise<Xgrammar> {
  const module = (await load()) as Partial<Xgrammar>;
  const scope = globalThis as { xgrammar?: Xgrammar };
  const xgrammar = module.GrammarMatcher === undefined ? scope.xgrammar : (module as Xgrammar);
  if (xgrammar === undefined) throw new Error("xgrammar exports nothing");
  return xgrammar;
}

/** The worker's side: one grammar at a time. Whatever throws in WebAssembly leaves it broken, so an error is the last reply. */
export function createGrammarHost(
  load: () => Promise<Xgrammar>,
  reply: (reply: GrammarReply) => void,
): (call: GrammarCall) => void {
  let compiler: GrammarCompiler | undefined;
  let compiled: CompiledGrammar | undefined;
  let matcher: GrammarMatcher | undefined;
  let guard: Utf8Guard | undefined;
  let lengths: TokenLengths | undefined;
  let lengthGuard: LengthGuard | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function answer(request: GrammarRequest): Promise<Uint32Array<ArrayBuffer> | undefined> {
    const { GrammarCompiler, GrammarMatcher, TokenizerInfo } = await load();
    switch (request.kind) {
      case "vocabulary": {
        const { tokens, vocabSize } = request;
        // No stop tokens here, or the package looks for names that it knows: each grammar has its own.
        const info = await TokenizerInfo.createTokenizerInfo([...tokens], "byte_level", false, vocabSize, []);
        const bytes = tokens.map(vocabularyBytes);
        guard = createUtf8Guard(bytes);
        lengths = tokenLengths(bytes);
        compiler = await GrammarCompiler.createGrammarCompiler(info);
        return undefined;
      }
      case "start":
        matcher?.dispose();
        compiled?.dispose();
        if (compiler === undefined) throw new Error("there is no vocabulary");
        compiled = await compiler.compileGrammar(request.grammar.ebnf);
        matcher = await GrammarMatcher.createGrammarMatcher(compiled, [...request.stopTokens]);
        guard?.reset();
        lengthGuard = undefined;
        if (request.grammar.lengths !== undefined && lengths !== undefined)
          lengthGuard = createLengthGuard(request.grammar.lengths, lengths);
        return mask(matcher);
      case "accept":
        if (matcher === undefined) throw new Error("there is no grammar");
        if (!matcher.acceptToken(request.token))
          throw new Error(`token ${request.token} is not in the grammar`);
        guard?.accept(request.token);
        lengthGuard?.accept(request.token);
        return mask(matcher);
      default:
        throw new Error(`there is no request ${String(request satisfies never)}`);
    }
  }

  async function mask(of: GrammarMatcher): Promise<Uint32Array<ArrayBuffer>> {
    const words = new Uint32Array(await of.getNextTokenBitmask());
    guard?.apply(words);
    lengthGuard?.apply(words);
    return words;
  }

  return ({ id, request }) => {
    last = last.then(async () => {
      try {
        const found = await answer(request);
        reply(found === undefined ? { id } : { id, mask: found });
      } catch (error) {
        reply({ id, error: error instanceof Error ? error.message : String(error) });
      }
    });
  };
}
