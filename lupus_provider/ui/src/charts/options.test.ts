import { expect, test } from "vitest";

import { lonely, quantile } from "./options.ts";

test("a point between two gaps is drawn as a dot, for no line reaches it", () => {
  expect(lonely([1, null, 2, null, 3, 4])).toEqual([0, 2]);
  expect(lonely([1, 2, 3])).toEqual([]);
  expect(lonely([7])).toEqual([0]);
});

test("a few days of a wide band do not press the line flat", () => {
  const upper = [...Array.from({ length: 98 }, () => 0.05), 1, 1, null];
  expect(quantile(upper, 0.97)).toBe(0.05);
  expect(quantile([null, null], 0.97)).toBeUndefined();
  expect(quantile([3], 0.03)).toBe(3);
});
