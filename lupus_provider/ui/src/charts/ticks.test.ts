import { expect, test } from "vitest";

import { isoDate } from "../lib/periods.ts";
import { stepFor, tickLabels, timeTicks } from "./ticks.ts";

const ZONE = "America/New_York";
const at = (text: string) => Date.parse(text) / 1000;
const YEAR = [at("2013-01-01T05:00Z"), at("2014-01-01T05:00Z")] as const;

test("a year has ticks on first days of months, also across summer time", () => {
  const step = stepFor(...YEAR, 6);
  const ticks = timeTicks(ZONE, ...YEAR, step);
  expect(step).toEqual({ unit: "month", size: 3 });
  expect(ticks.map((t) => isoDate(t, ZONE))).toEqual(["2013-01-01", "2013-04-01", "2013-07-01", "2013-10-01", "2014-01-01"]);
  expect(tickLabels(ZONE, ticks, step)).toEqual(["Jan 2013", "Apr", "Jul", "Oct", "Jan 2014"]);
});

test("days are midnights of the zone", () => {
  const ticks = timeTicks(ZONE, at("2013-03-09T05:00Z"), at("2013-03-12T04:00Z"), { unit: "day", size: 1 });
  expect(ticks.map((t) => new Date(t * 1000).toISOString().slice(0, 13))).toEqual(["2013-03-09T05", "2013-03-10T05", "2013-03-11T04", "2013-03-12T04"]);
});

test("there are never more ticks than asked for, but for one", () => {
  for (const days of [0.2, 1, 3, 10, 40, 200, 900, 5000]) {
    const end = YEAR[0] + days * 86_400;
    expect(timeTicks(ZONE, YEAR[0], end, stepFor(YEAR[0], end, 8)).length).toBeLessThanOrEqual(9);
  }
});
