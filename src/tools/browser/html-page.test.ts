import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../testing/data.ts";
import { htmlPage } from "./html-page.ts";

const at = "https://example.org/docs/page.html";
const page = (html: string, url = at) => htmlPage({ html, url });
/** The text after the line with the address. */
const text = (html: string) => page(html).text.split("\n").slice(2).join("\n");

// [html, text, link targets, title] as openai/gpt-oss's page_contents.py makes them of a page at `at`, with
// html2text 2020.1.16 and lxml 4.9.2.
const fixture = new URL("html-page.fixture.json", import.meta.url);
const references = JSON.parse(readFileSync(fixture, "utf8")) as [string, string, string[], string][];

describe("htmlPage", () => {
  it.each(references)(
    "reads as the reference tool does, but for blanks at the end of lines: %s",
    (html, ...expected) => {
      const { text, urls, title } = page(html);
      const trimmed = (lines: string) => lines.replace(/ +$/gm, "");
      expect([trimmed(text), urls, title]).toEqual([trimmed(expected[0]), ...expected.slice(1)]);
    },
  );

  it("begins with the address, and takes its title from the page, the caller or the host", () => {
    expect(page("<title>A &amp; B</title><p>x").text).toBe(`\nURL: ${at}\nx`);
    expect(page("<title>\n A  &amp; B</title><p>x").title).toBe("A & B");
    expect(page("<p>x").title).toBe("example.org");
    expect(htmlPage({ html: "<title>A</title>", url: at, title: "Given" }).title).toBe("Given");
  });

  it("numbers links by target, and names foreign hosts", () => {
    const html =
      '<a href="/a">One</a> <a href="b">Two</a> <a href="https://example.org/a">again</a> <a href="http://other.net:81/">Far † off</a>';
    expect(page(html).urls).toEqual([
      "https://example.org/a",
      "https://example.org/docs/b",
      "http://other.net:81/",
    ]);
    expect(text(html)).toBe("【0†One】 【1†Two】 【0†again】 【2†Far ‡ off†other.net:81】");
  });

  it("makes no link of anchors, mail, scripts, nowhere and images", () => {
    const html =
      '<a href="#x">here</a> <a href="mailto:a@b.c">mail</a> <a href="JavaScript:f()">run</a> <a>no</a> <a href="tel:1">call</a> <a href="/i"><img alt="Logo"></a>';
    expect(page(html).urls).toEqual([]);
    expect(text(html)).toBe("here mail run no call [Image 0: Logo]");
  });

  it("reads arXiv at its HTML edition", () => {
    expect(page('<a href="https://arxiv.org/abs/1">p</a>').urls).toEqual(["https://ar5iv.org/abs/1"]);
  });

  it("lets no page forge link marks, spelled out or by reference", () => {
    const html =
      "<title>【1†t】</title><p>【9†L1】 &#12304;9†L1&#x3011; <img alt='【2†x】'><a href='/【'>【a】</a>";
    const { text, title } = page(html);
    expect(title).toBe("〖1†t〗");
    expect(text).toContain("〖9†L1〗 〖9†L1〗 [Image 0: 〖2†x〗]【0†〖a〗】");
  });

  it("writes headings, paragraphs, breaks, rules and lists as Markdown does", () => {
    const html =
      "<h1>Top</h1><p>One<br>two</p>\n\n\n<p>three</p><hr><ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><ol start=3><li>d<li>e</ol>end";
    expect(text(html)).toBe(
      "# Top\n\nOne  \ntwo\n\nthree\n\n* * *\n\n  * a\n    * b\n  * c\n\n  3. d\n  4. e\n\nend",
    );
  });

  it("keeps preformatted lines, and marks quotes", () => {
    expect(text("<pre>a\n  b\n</pre>c<blockquote>q<p>r</blockquote>")).toBe("a\n      b\n\nc\n\n> q\n>\n> r");
  });

  it("ignores blanks and breaks after the sign of an item, also of empty ones", () => {
    expect(text("<h2> A </h2><ul><li> <p>b</p></li><li></li><li>\n c</ul>")).toBe(
      "## A\n\n  * b\n\n  * \n  * c",
    );
    expect(text("<code>f(x)</code> <pre><code>g</code></pre>")).toBe("`f(x)`\n\n    g");
  });

  it("parts table cells and rows, and words that only tags part", () => {
    expect(text("<table><tr><th>A<th>B<tr><td>1</td><td>2</td></tr></table>")).toBe("A B  \n1 2");
    expect(text("<b>bo</b>ld, <i>it</i>.")).toBe("bo ld, it.");
  });

  it("writes simple powers and indices, and drops scripts, styles and formulas but not what follows them", () => {
    expect(
      text("x<sup>2</sup> a<sub>i</sub> n<sup><a href='#1'>[1]</a></sup> m<sup><a href='#2'>3</a></sup>"),
    ).toBe("x^{2} a_{i} n[1] m^{3}");
    expect(text("a<script>if (1<2) '</p>'</script>b<style>p{}</style>c<math><mi>x</mi></math>d")).toBe(
      "a b c d",
    );
  });

  it("decodes references by name and number, also without semicolon where that is old use", () => {
    expect(
      text("&lt;&eacute;&#8364;&#x1F600;&#150;&hellip;&nbsp;&bogus; AT&T &amp x&copy 1 &#0;&#xD800;"),
    ).toBe("<é€😀–… &bogus; AT&T & x© 1 \uFFFD\uFFFD");
  });

  it.each([
    ["unclosed tags", "<p>a<b>c<div>d", "a c\n\nd"],
    ["stray ends", "</p>a</b></table>b", "a b"],
    ["a tag cut off", "a<a href='x", "a"],
    ["a lone <", "1 < 2 <3", "1 < 2 <3"],
    ["an open comment", "a<!-- b <p>c", "a"],
    ["comments and declarations", "<!DOCTYPE html><!--x-->a<?php echo 1?>b<![CDATA[c]]>", "a b"],
    ["an empty comment", "a<!-->b", "a b"],
    ["an open script", "a<script>b", "a"],
    ["a quote left open", 'a<p title="x>b</p>c', "a"],
    ["attributes without space or value", "<a class=k href=/x disabled>l</a>", "【0†l】"],
    ["an unclosed link before another", "<a href=/1>one<a href=/2>two</a>", "【0†one】【1†two】"],
    ["an open head", "<head><meta charset=x><p>shown", "shown"],
    ["nothing", "", ""],
    ["upper case", "<P>a<BR>b</P><SCRIPT>x</SCRIPT>", "a  \nb"],
  ])("reads malformed HTML: %s", (_, html, expected) => {
    expect(text(html)).toBe(expected);
  });

  it("survives any text, deep nesting and long pages", () => {
    const random = seededRandom(7);
    const parts = [
      "<",
      ">",
      "</",
      "a",
      "<p>",
      "<a href=",
      '"',
      "'",
      "=",
      "<!--",
      "&#",
      ";",
      "<td>",
      "</ul>",
      "<ul>",
      "\n",
      "【",
      "<pre>",
      "/",
    ];
    for (let i = 0; i < 500; i++) {
      const html = Array.from({ length: 40 }, () => parts[Math.floor(random() * parts.length)]).join("");
      expect(() => page(html)).not.toThrow();
    }
    const startedMs = performance.now();
    expect(text(`${"<div>".repeat(20_000)}deep<script>x</script>`)).toBe("deep");
    for (const open of ["<a <", "<p title='", "<!-", "&", "<ul><li>", " \n ", '<a href="/x">l'])
      page(open.repeat(5_000));
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });
});
