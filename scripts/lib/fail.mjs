/** A failure that one sentence explains: launchers print the sentence without a stack. */
export class LauncherError extends Error {
  /** @override */
  name = "LauncherError";

  /**
   * @param {string} message
   * @param {number} [exitCode] 2 where the command line is wrong
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a launcher's main function; a failure is one sentence on stderr and a non-zero exit code.
 * @param {() => Promise<number | void>} main its number becomes the exit code
 */
export async function runMain(main) {
  try {
    const code = await main();
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    const known = error instanceof LauncherError || isArgumentError(error);
    console.error(known ? error.message : error);
    process.exitCode = error instanceof LauncherError ? error.exitCode : isArgumentError(error) ? 2 : 1;
  }
}

/**
 * True for what `parseArgs` throws on a wrong command line.
 * @param {unknown} error
 * @returns {error is Error}
 */
function isArgumentError(error) {
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}
