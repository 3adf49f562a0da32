import { expect, test } from "vitest";

import { targetOf } from "./useChartKeys.ts";

const T = [10, 20, 30, 40];
const FLAGGED = [20, 40];

test.each([
  ["ArrowRight", 20, 30], ["ArrowLeft", 20, 10], ["ArrowRight", 40, 40], ["ArrowRight", undefined, 10], ["ArrowLeft", undefined, 40],
  ["PageDown", 20, 40], ["PageUp", 30, 20], ["PageUp", 20, 20], ["Home", 30, 10], ["End", 30, 40], ["x", 30, undefined],
] as const)("%s at %s leads to %s", (key, at, target) => {
  expect(targetOf(key, at, T, FLAGGED)).toBe(target);
});
