import { createBrowserTool, createProxyBackend } from "gpt-oss-webgpu";

export const webBrowser = () =>
  createBrowserTool({
    backend: createProxyBackend({
      pageUrl: "https://proxy.example/page?url={url}",
      searchUrl: "https://searx.example/search?format=json&q={query}",
    }),
  });
