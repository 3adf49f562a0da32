import { expect, test } from "vitest";

import { NEMO, ZONE } from "../../testing/builders.ts";
import { catalogFilters } from "./filters.ts";
import { barsPath, perDay, windowOfDrag } from "./strip.ts";
import { contextOf } from "./window.ts";

const DAY = 86_400;

test("a drag chooses whole days, in either direction", () => {
  const window = { start: NEMO - DAY, end: NEMO + DAY };
  expect(windowOfDrag(ZONE, NEMO - DAY + 100, NEMO + 5000)).toEqual(window);
  expect(windowOfDrag(ZONE, NEMO + 5000, NEMO - DAY + 100)).toEqual(window);
});

test("a click chooses one day", () => {
  expect(windowOfDrag(ZONE, NEMO + 7, NEMO + 7)).toEqual({ start: NEMO, end: NEMO + DAY });
});

test("hourly series add up to days", () => {
  const days = [{ t: NEMO + 3600, n_anomalies: 2 }, { t: NEMO, n_anomalies: 1 }, { t: NEMO - DAY, n_anomalies: 5 }];
  expect(perDay(ZONE, days)).toEqual([{ t: NEMO - DAY, n_anomalies: 5 }, { t: NEMO, n_anomalies: 3 }]);
});

test("there is one bar a day and the worst is the highest", () => {
  const path = barsPath([{ t: 0, n_anomalies: 1 }, { t: DAY, n_anomalies: 4 }], { start: 0, end: 10 * DAY });
  expect(path).toBe("M0.00 100v-46.0h80.00v46.0zM100.00 100v-92.0h80.00v92.0z");
});

test("the server is asked in seconds, and equal filters are one question", () => {
  const one = catalogFilters(new URLSearchParams("metric=avg&q=x&theirs=1&view=table&start=2013-02-09T05:00Z&end=2013-02-10T05:00Z"));
  expect(one).toBe(`end=${NEMO + DAY}&metric=avg&q=x&sort=attention&start=${NEMO}`);
  expect(catalogFilters(new URLSearchParams("q=x&metric=avg"))).toBe(catalogFilters(new URLSearchParams("metric=avg&q=x")));
});

test("cards show all of a short history and a year around a window of a long one", () => {
  const years = 3 * 366 * DAY;
  expect(contextOf({ start: 10, end: 20 }, 0, 365 * DAY)).toBeUndefined();
  const range = contextOf({ start: years / 2, end: years / 2 + DAY }, 0, years);
  expect(range && range.end - range.start).toBeLessThanOrEqual(367 * DAY);
  expect(range && range.start < years / 2 && range.end > years / 2 + DAY).toBe(true);
});
