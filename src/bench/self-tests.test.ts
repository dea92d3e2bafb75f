import { expect, it } from "vitest";
import { dryPlan } from "../testing/dry-plan.ts";
import { kernelsOf, selfTests } from "./self-tests.ts";
import { createSyntheticFiles, syntheticConfig } from "./synthetic-files.ts";

it("every kernel of a plan has a self-test, and no test is left of a kernel that went", async () => {
  const { plan } = await dryPlan(createSyntheticFiles(syntheticConfig("20b", 2), "20b"));
  const { steps } = await plan.allLogits();
  const all = new Set([...kernelsOf(plan), ...steps.map(({ pipeline }) => pipeline.id)]);
  expect([...new Set(selfTests.map(({ kernel }) => kernel))].sort()).toEqual([...all].sort());
});
