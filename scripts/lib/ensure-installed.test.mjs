import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { checkNode, isInstalled } from "./ensure-installed.mjs";

const folders = /** @type {string[]} */ ([]);
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/**
 * @param {object} wanted packages of package-lock.json
 * @param {object} [present] packages that npm noted as installed
 */
function project(wanted, present) {
  const folder = mkdtempSync(join(tmpdir(), "ensure-installed-"));
  folders.push(folder);
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...wanted } }));
  if (present === undefined) return folder;
  for (const path of ["node_modules", ...Object.keys(present)]) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, "package.json"), "{}");
  }
  const record = join(folder, "node_modules/.package-lock.json");
  writeFileSync(record, JSON.stringify({ packages: present }));
  return folder;
}

const a = { version: "1.0.0", integrity: "sha512-a" };

describe("isInstalled", () => {
  it.each([
    ["everything is there", { "node_modules/a": a }, { "node_modules/a": a }, true],
    ["nothing is there", { "node_modules/a": a }, undefined, false],
    ["a package is missing", { "node_modules/a": a }, {}, false],
    ["an optional package is missing", { "node_modules/a": { ...a, optional: true } }, {}, true],
    ["a version differs", { "node_modules/a": a }, { "node_modules/a": { ...a, version: "1.0.1" } }, false],
    ["a hash differs", { "node_modules/a": a }, { "node_modules/a": { ...a, integrity: "sha512-b" } }, false],
  ])("%s", (_name, wanted, present, expected) => {
    expect(isInstalled(project(wanted, present))).toBe(expected);
  });

  it("sees a package folder that was removed", () => {
    const folder = project({ "node_modules/a": a }, { "node_modules/a": a });
    rmSync(join(folder, "node_modules/a"), { recursive: true });
    expect(isInstalled(folder)).toBe(false);
  });
});

describe("checkNode", () => {
  it.each(["20.19.0", "20.20.2", "22.0.0", "24.1.0"])("accepts %s", (version) => {
    expect(() => checkNode(version)).not.toThrow();
  });

  it.each(["20.18.9", "18.20.0", "9.0.0"])("refuses %s", (version) => {
    expect(() => checkNode(version)).toThrow(`needs Node 20.19 or newer, and this is Node ${version}`);
  });
});
