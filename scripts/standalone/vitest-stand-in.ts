// What the GPU tests use of vitest, in one file: so that they can be bundled and run where there is only Node.
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";
import * as chai from "chai";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = chai.expect;

type Body = (...args: never[]) => unknown;

interface Suite {
  readonly name: string;
  readonly parent: Suite | undefined;
  readonly before: Body[];
  readonly after: Body[];
  readonly items: (Suite | { readonly name: string; readonly run: Body })[];
}

const newSuite = (name: string, parent: Suite | undefined): Suite => ({
  name,
  parent,
  before: [],
  after: [],
  items: [],
});
let current = newSuite("", undefined);

/** Puts a case's values into a title: %s, %d, %i, %o in turn, $name from an object. */
function title(pattern: string, values: readonly unknown[]): string {
  let next = 0;
  const filled = pattern.replace(/%[sdio]/g, () => String(values[next++]));
  return filled.replace(/\$([a-zA-Z]+)/g, (_, key: string) =>
    String((values[0] as Record<string, unknown>)?.[key]),
  );
}

const each =
  (declare: (name: string, body: Body) => void) =>
  (cases: readonly unknown[]) =>
  (pattern: string, body: Body): void => {
    for (const one of cases) {
      const values = Array.isArray(one) ? one : [one];
      declare(title(pattern, values), () => (body as (...args: unknown[]) => unknown)(...values));
    }
  };

function declareSuite(name: string, body: Body): void {
  const suite = newSuite(name, current);
  current.items.push(suite);
  const outer = current;
  current = suite;
  body();
  current = outer;
}

const declareTest = (name: string, run: Body): void => void current.items.push({ name, run });

export const describe = Object.assign(declareSuite, { each: each(declareSuite) });
export const it = Object.assign(declareTest, { each: each(declareTest) });
export const test = it;
export const beforeAll = (body: Body): void => void current.before.push(body);
export const afterAll = (body: Body): void => void current.after.push(body);

/** Declares a file's tests as a suite of their own, as vitest does. */
export async function declareFile(name: string, load: () => Promise<unknown>): Promise<void> {
  const suite = newSuite(name, current);
  current.items.push(suite);
  const outer = current;
  current = suite;
  await load();
  current = outer;
}

const matches = (suite: Suite, path: string, filter: string): boolean =>
  suite.items.some((item) =>
    "items" in item
      ? matches(item, `${path} > ${item.name}`, filter)
      : `${path} > ${item.name}`.includes(filter),
  );

/** Runs everything declared so far, one after another; prints failures and a total; returns how many failed. */
export async function runAll(filter: string): Promise<number> {
  const counts = { passed: 0, failed: 0 };
  await runSuite(current, "", filter, counts);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed;
}

async function runSuite(
  suite: Suite,
  prefix: string,
  filter: string,
  counts: { passed: number; failed: number },
): Promise<void> {
  const path = prefix === "" ? suite.name : `${prefix} > ${suite.name}`;
  if (!matches(suite, path, filter)) return;
  try {
    for (const body of suite.before) await body();
  } catch (error) {
    counts.failed += 1;
    console.log(`FAIL ${path} (beforeAll): ${error instanceof Error ? error.message : error}`);
    return;
  }
  for (const item of suite.items) {
    if ("items" in item) {
      await runSuite(item, path, filter, counts);
      continue;
    }
    const name = `${path} > ${item.name}`;
    if (!name.includes(filter)) continue;
    try {
      await item.run();
      counts.passed += 1;
    } catch (error) {
      counts.failed += 1;
      console.log(`FAIL ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  for (const body of suite.after) await body();
}
