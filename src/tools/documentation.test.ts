import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { repositoryPath } from "../testing/reference.ts";

it("docs/tools.md shows the examples that are compiled, each of at most 20 lines", () => {
  const guide = readFileSync(repositoryPath("docs/tools.md"), "utf8");
  const folder = repositoryPath("docs/examples");
  const examples = new Set(
    readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, "utf8").trimEnd()),
  );
  const shown = [...guide.matchAll(/```ts\n([\s\S]*?)\n```/g)].map(([, code = ""]) => code);
  expect(shown.length).toBeGreaterThanOrEqual(5);
  for (const code of shown) {
    expect(examples.has(code), code).toBe(true);
    expect(code.split("\n").length).toBeLessThanOrEqual(20);
  }
});
