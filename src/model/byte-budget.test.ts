import { expect, it } from "vitest";
import { createByteBudget } from "./byte-budget.ts";

it("lets tasks wait for bytes, in order, and gives one who is alone more than there are", async () => {
  const budget = createByteBudget(10);
  const order: string[] = [];
  const take = async (name: string, numBytes: number) => {
    const giveBack = await budget.take(numBytes);
    order.push(name);
    return giveBack;
  };
  const [a, b] = await Promise.all([take("a", 4), take("b", 6)]);
  const large = take("large", 100);
  const small = take("small", 1);
  await Promise.resolve();
  expect(order).toEqual(["a", "b"]);
  a();
  await Promise.resolve();
  expect(order).toEqual(["a", "b"]);
  b();
  (await large)();
  (await small)();
  expect(order).toEqual(["a", "b", "large", "small"]);
});
