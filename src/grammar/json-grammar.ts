/**
 * Rules of plain JSON that every grammar has. Between tokens stand nothing, a space, or a line break with its indent, so
 * that white space cannot go on for ever; numbers have at most 15 digits before and after the point, which a double holds; keys that no
 * schema names have at most 128 characters.
 */
export const jsonRules = String.raw`
ws ::= [ ]? | "\n" [ ]{0,24}
hex ::= [0-9a-fA-F]
char ::= [^"\\\u0000-\u001f] | "\\" escape
escape ::= ["\\/bfnrt] | "u" ([0-9a-cA-CeEfF] hex hex hex | [dD] [0-7] hex hex)
string ::= "\"" char* "\""
integer ::= "0" | "-"? [1-9] [0-9]{0,14}
number ::= "-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,15})? ([eE] [+-]? [0-9]{1,2})?
boolean ::= "true" | "false"
key ::= "\"" char{0,128} "\""
pair ::= key ":" ws value
object ::= "{" ws (pair ("," ws pair)* ws)? "}"
array ::= "[" ws (value ("," ws value)* ws)? "]"
value ::= object | array | string | number | boolean | "null"
`.trim();

/** The grammar of any JSON object. */
export const jsonObjectGrammar = `root ::= object\n${jsonRules}`;
