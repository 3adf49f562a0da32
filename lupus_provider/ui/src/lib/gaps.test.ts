import { expect, test } from "vitest";

import { NEMO, points } from "../testing/builders.ts";
import { gapsOf, withGaps } from "./gaps.ts";

const DAY = 86_400;

test("a missing day breaks the line and the band between its neighbours", () => {
  const series = points({ t: [NEMO, NEMO + DAY, NEMO + 3 * DAY], value: [1, 2, 3], expected: [1, 2, 3], lower: [0, 1, 2], upper: [2, 3, 4] });
  const columns = withGaps(series, "day");
  expect(columns.gaps).toEqual([[NEMO + DAY, NEMO + 3 * DAY]]);
  expect(columns.t).toEqual([NEMO, NEMO + DAY, NEMO + 2 * DAY, NEMO + 3 * DAY]);
  expect(columns.value).toEqual([1, 2, null, 3]);
  expect(columns.lower).toEqual([0, 1, null, 2]);
  expect(columns.upper).toEqual([2, 3, null, 4]);
});

test("a day of 25 hours is no gap", () => {
  expect(gapsOf(points({ t: [NEMO, NEMO + 25 * 3600] }), "day")).toEqual([]);
});

test("thinned points have no gaps, they stand apart by themselves", () => {
  expect(gapsOf(points({ t: [NEMO, NEMO + 9 * DAY], method: "minmax" }), "day")).toEqual([]);
});

test("a series without a band has none", () => {
  expect(withGaps(points({ lower: null, upper: null }), "day").lower).toBeUndefined();
});

test("all columns are of one length", () => {
  const series = points({ t: [NEMO, NEMO + 5 * DAY, NEMO + 9 * DAY], value: [1, null, 2], expected: null, lower: [0, 0, 0], upper: [1, 1, 1] });
  const { t, value, lower, upper } = withGaps(series, "day");
  expect(new Set([t.length, value.length, lower?.length, upper?.length])).toEqual(new Set([5]));
});
