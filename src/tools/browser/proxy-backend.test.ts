import { describe, expect, it } from "vitest";
import { createProxyBackend } from "./proxy-backend.ts";

const signal = new AbortController().signal;
const pageUrl = "https://proxy.test/get?u={url}";
const searchUrl = "https://proxy.test/search?q={query}&n={count}";

/** A backend whose proxy answers with this, and the addresses it was asked for. */
function backend(
  body: string | Uint8Array<ArrayBuffer>,
  type: string | null = "text/html",
  init: ResponseInit = {},
) {
  const asked: string[] = [];
  const options = { pageUrl, searchUrl, maxPageBytes: 1000 };
  const fetch = async (address: unknown) => {
    asked.push(String(address));
    const response = new Response(body, init);
    if (type === null) response.headers.delete("content-type");
    else response.headers.set("content-type", type);
    return response;
  };
  return { asked, ...createProxyBackend({ ...options, fetch }) };
}

describe("createProxyBackend", () => {
  it("asks the proxy for the encoded address, https where none is named", async () => {
    const proxy = backend("<p>x");
    expect(await proxy.open("http://a.test/?q=1&r=ä b", signal)).toEqual({
      url: "http://a.test/?q=1&r=%C3%A4%20b",
      html: "<p>x",
    });
    await proxy.open("a.test:8080/b", signal);
    expect(proxy.asked).toEqual([
      `https://proxy.test/get?u=${encodeURIComponent("http://a.test/?q=1&r=%C3%A4%20b")}`,
      `https://proxy.test/get?u=${encodeURIComponent("https://a.test:8080/b")}`,
    ]);
  });

  it.each(["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x"])(
    "does not open %s",
    async (url) => {
      const proxy = backend("");
      await expect(proxy.open(url, signal)).rejects.toThrow("Only http and https");
      expect(proxy.asked).toEqual([]);
    },
  );

  it("reads text as text, and no other types", async () => {
    expect(await backend("{}", "application/json").open("https://a.test/", signal)).toMatchObject({
      text: "{}",
    });
    expect(await backend("# x", "text/markdown").open("https://a.test/", signal)).toMatchObject({
      text: "# x",
    });
    expect(await backend("<p>", null).open("https://a.test/", signal)).toMatchObject({ html: "<p>" });
    await expect(backend("%PDF", "application/pdf").open("https://a.test/", signal)).rejects.toThrow(
      "application/pdf",
    );
  });

  it("decodes by the header's charset, else the page's own, else UTF-8", async () => {
    const latin = Uint8Array.of(0xe9);
    const text = async (bytes: Uint8Array<ArrayBuffer>, type: string) => {
      const found = await backend(bytes, type).open("https://a.test/", signal);
      return "html" in found ? found.html : found.text;
    };
    expect(await text(latin, "text/html; charset=ISO-8859-1")).toBe("é");
    const meta = new TextEncoder().encode('<meta charset="windows-1252">');
    expect(await text(Uint8Array.of(...meta, 0xe9), "text/html")).toContain("é");
    expect(await text(new TextEncoder().encode("é"), "text/html; charset=nonsense")).toBe("é");
  });

  it("reads no more of a page than it may", async () => {
    const found = await backend("x".repeat(5000), "text/plain").open("https://a.test/", signal);
    expect("text" in found && found.text.length).toBe(1000);
  });

  it("tells the status of a failure", async () => {
    await expect(backend("", "text/html", { status: 503 }).open("https://a.test/", signal)).rejects.toThrow(
      "status 503",
    );
  });

  it("reads results in the forms in use", async () => {
    const results = [
      { url: "https://a.test/", title: "A", snippet: "s" },
      { url: "https://b.test/", title: "B", content: "c" },
      { title: "no address" },
      { url: "https://c.test/", description: "d" },
    ];
    const proxy = backend(JSON.stringify({ results }), "application/json");
    expect(await proxy.search("a&b", 2, signal)).toEqual([
      { url: "https://a.test/", title: "A", snippet: "s" },
      { url: "https://b.test/", title: "B", snippet: "c" },
    ]);
    expect(proxy.asked).toEqual(["https://proxy.test/search?q=a%26b&n=2"]);
    const list = await backend(JSON.stringify(results)).search("x", 9, signal);
    expect(list.at(-1)).toEqual({ url: "https://c.test/", title: "", snippet: "d" });
    await expect(backend('{"hits":1}').search("x", 9, signal)).rejects.toThrow("no list of results");
  });

  it("says that there is no search where none is set up, and refuses addresses without placeholder", async () => {
    await expect(createProxyBackend({ pageUrl }).search("x", 9, signal)).rejects.toThrow("no search here");
    for (const options of [
      { pageUrl: "https://proxy.test/" },
      { pageUrl, searchUrl: "https://proxy.test/" },
    ]) {
      expect(() => createProxyBackend(options)).toThrow(/needs \{(url|query)\}/);
    }
  });
});
