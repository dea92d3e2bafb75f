import type { TextGrammar } from "./protocol.ts";

const escapeSequence = String.raw`(["\\/bfnrt] | "u" ([0-9a-cA-CeEfF] hex hex hex | [dD] [0-7] hex hex))`;

/** One character of a string. */
const character = String.raw`([^"\\\u0000-\u001f] | "\\" ${escapeSequence})`;

/** Any characters of a string, without its quotes. */
const text = String.raw`[^"\\\u0000-\u001f]* ("\\" ${escapeSequence} [^"\\\u0000-\u001f]*)*`;

/**
 * Rules of plain JSON that every grammar has. Between tokens stand nothing, a space, or a line break with its indent, so
 * that white space cannot go on for ever; numbers have at most 15 digits before and after the point, which a double holds.
 *
 * Strings are written as stars of character classes: xgrammar knows the tokens within a rule beforehand, but tries those
 * that go beyond its end one by one, which takes 0.1 s a token where each character is a rule of its own.
 */
export const jsonRules = String.raw`
ws ::= [ ]? | "\n" [ ]{0,24}
hex ::= [0-9a-fA-F]
char ::= ${character}
text ::= ${text}
string ::= "\"" ${text} "\""
integer ::= "0" | "-"? [1-9] [0-9]{0,14}
number ::= "-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,15})? ([eE] [+-]? [0-9]{1,2})?
boolean ::= "true" | "false"
pair ::= string ":" ws value
object ::= "{" ws (pair ("," ws pair)* ws)? "}"
array ::= "[" ws (value ("," ws value)* ws)? "]"
value ::= object | array | string | number | boolean | "null"
`.trim();

/** The grammar of any JSON object. */
export const jsonObjectGrammar: TextGrammar = { ebnf: `root ::= object\n${jsonRules}` };
