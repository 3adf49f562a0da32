import { expect, test } from "vitest";

import { lonely } from "./options.ts";

test("a point between two gaps is drawn as a dot, for no line reaches it", () => {
  expect(lonely([1, null, 2, null, 3, 4])).toEqual([0, 2]);
  expect(lonely([1, 2, 3])).toEqual([]);
  expect(lonely([7])).toEqual([0]);
});
