import { expect, test } from "vitest";
import { folderView } from "./folder-view.ts";
import { readGigabytes, readSettings } from "./load-settings.ts";

const found = {
  ...{ name: "model", folder: "", weightFiles: ["a", "b"], totalBytes: 2e9 },
  ...{ missing: [], extra: [], hasTokenizer: true },
};

test("a complete folder is told in a line", () => {
  expect(folderView(found)).toEqual({
    name: "model",
    text: "model: 2 weight files, 2.0 GB.",
    isComplete: true,
  });
});

test("missing and extra files and a missing tokenizer are named", () => {
  const missing = ["m1", "m2", "m3", "m4", "m5"];
  const view = folderView({ ...found, folder: "original", missing, extra: ["x"], hasTokenizer: false });
  expect(view).toMatchObject({ name: "model/original", isComplete: false });
  expect(view.text).toMatch(/Missing: m1, m2, m3, m4 and 1 more\..*no tokenizer\.json.*not read: x\./);
});

test("settings are read, what is malformed is left to the engine", () => {
  const values = { contextLength: "4096", kvFormat: "f16", dense: "int8", store: "auto" };
  expect(readSettings(values)).toEqual({ ...values, contextLength: 4096 });
  expect(readSettings({ contextLength: "1.5", kvFormat: "", dense: "?", store: "" })).toEqual({});
  expect(readGigabytes("24")).toBe(24e9);
  expect(["", "0", "-1", "x"].map(readGigabytes)).toEqual([undefined, undefined, undefined, undefined]);
});
