import { existsSync, readFileSync } from "node:fs";

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Counts from the JSON report of Vitest or Playwright; all zero where there is no report.
 * @param {string} file
 * @returns {Counts}
 */
export function readReport(file) {
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(readFileSync(file, "utf8"));
  if (report.stats !== undefined) {
    const { expected, unexpected, flaky, skipped } = report.stats;
    return { passed: expected, failed: unexpected + flaky, skipped };
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * Why a stage of tests counts as failed, in one sentence; undefined where it passed. Nothing executed and
 * anything skipped are failures: a test that did not run shows nothing.
 * @param {number} exitCode
 * @param {Counts} counts
 */
export function stageFailure(exitCode, { passed, failed, skipped }) {
  if (failed > 0) return `${failed} of ${passed + failed} tests failed`;
  if (exitCode !== 0) return `the test runner ended with code ${exitCode}`;
  if (passed === 0) return "no test was executed";
  if (skipped > 0) return `${skipped} tests were skipped, and a skipped test shows nothing`;
  return undefined;
}
