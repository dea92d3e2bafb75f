import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readReport, stageFailure } from "./test-report.mjs";

const folder = mkdtempSync(join(tmpdir(), "test-report-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @param {object} report */
function written(report) {
  const file = join(folder, "report.json");
  writeFileSync(file, JSON.stringify(report));
  return file;
}

it("counts a Vitest report", () => {
  const file = written({ numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 3 });
  expect(readReport(file)).toEqual({ passed: 5, failed: 2, skipped: 4 });
});

it("counts a Playwright report, a flaky test as failed", () => {
  const file = written({ stats: { expected: 5, unexpected: 2, flaky: 1, skipped: 3 } });
  expect(readReport(file)).toEqual({ passed: 5, failed: 3, skipped: 3 });
});

it("counts nothing where there is no report", () => {
  expect(readReport(join(folder, "none.json"))).toEqual({ passed: 0, failed: 0, skipped: 0 });
});

it.each([
  [0, { passed: 3, failed: 0, skipped: 0 }, undefined],
  [1, { passed: 3, failed: 1, skipped: 0 }, "1 of 4 tests failed"],
  [1, { passed: 3, failed: 0, skipped: 0 }, "the test runner ended with code 1"],
  [0, { passed: 0, failed: 0, skipped: 0 }, "no test was executed"],
  [0, { passed: 0, failed: 0, skipped: 9 }, "no test was executed"],
  [0, { passed: 3, failed: 0, skipped: 1 }, "1 tests were skipped, and a skipped test shows nothing"],
])("exit code %i with %o", (exitCode, counts, expected) => {
  expect(stageFailure(exitCode, counts)).toBe(expected);
});
