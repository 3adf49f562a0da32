import { expect, test } from "vitest";

import { formatPeriod, formatPeriodLong, formatUtc, formatWindow } from "./periods.ts";
import { addDays, fromIsoDate, startOfDay, zoneOffset } from "./zone.ts";

const NEW_YORK = "America/New_York";
const at = (text: string) => Date.parse(text) / 1000;

test("a day that starts at 05:00 UTC shows as the local date", () => {
  expect(formatPeriod(at("2013-02-09T05:00Z"), "day", NEW_YORK)).toBe("2013-02-09");
  expect(formatPeriodLong(at("2013-02-09T05:00Z"), "day", NEW_YORK)).toBe("Sat 2013-02-09");
  expect(formatPeriod(at("2013-02-08T15:00Z"), "day", "Asia/Tokyo")).toBe("2013-02-09");
});

test("hours, weeks and months say no more than they are", () => {
  expect(formatPeriod(at("2013-02-09T19:00Z"), "hour", NEW_YORK)).toBe("2013-02-09 14:00");
  expect(formatPeriod(at("2013-02-01T05:00Z"), "month", NEW_YORK)).toBe("2013-02");
  expect(formatPeriodLong(at("2013-02-04T05:00Z"), "week", NEW_YORK)).toBe("week of 2013-02-04");
  expect(formatUtc(at("2013-02-09T05:00Z"))).toBe("2013-02-09 05:00 UTC");
});

test("the offset changes with summer time", () => {
  expect(zoneOffset(NEW_YORK, at("2013-03-10T06:59Z"))).toBe(-5 * 3600);
  expect(zoneOffset(NEW_YORK, at("2013-03-10T07:00Z"))).toBe(-4 * 3600);
});

test("days of 23 and 25 hours count as one", () => {
  for (const [day, hours] of [["2013-03-10", 23], ["2013-11-03", 25], ["2013-06-01", 24]] as const) {
    const start = fromIsoDate(NEW_YORK, day) ?? 0;
    expect(addDays(NEW_YORK, start, 1) - start).toBe(hours * 3600);
    expect(startOfDay(NEW_YORK, start + 12 * 3600)).toBe(start);
    expect(addDays(NEW_YORK, addDays(NEW_YORK, start, 40), -40)).toBe(start);
  }
});

test("what is no date gives no instant", () => {
  expect(fromIsoDate(NEW_YORK, "")).toBeUndefined();
  expect(fromIsoDate(NEW_YORK, "9.2.2013")).toBeUndefined();
});

test("a window names its last day, not the midnight after it", () => {
  expect(formatWindow(at("2013-02-08T05:00Z"), at("2013-02-10T05:00Z"), NEW_YORK)).toBe("2013-02-08 – 2013-02-09");
  expect(formatWindow(at("2013-02-09T05:00Z"), at("2013-02-10T05:00Z"), NEW_YORK)).toBe("2013-02-09");
});
