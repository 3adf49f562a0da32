import { expect, test } from "vitest";

import { formatInstant, parseInstant, windowOf, withToggled, withValue, withValues } from "./urlState.ts";

const from = (text: string) => new URLSearchParams(text);

test("toggling adds a value beside others and takes exactly it away", () => {
  const both = withToggled(from("metric=avg&x=1"), "metric", "p95");
  expect(both.getAll("metric")).toEqual(["avg", "p95"]);
  expect(withToggled(both, "metric", "avg").toString()).toBe("x=1&metric=p95");
  expect(withToggled(withToggled(both, "x", "2"), "x", "2").toString()).toBe(withToggled(withToggled(both, "y", "1"), "y", "1").toString());
});

test("unknown parameters stay and defaults leave the address", () => {
  expect(withValue(from("theirs=1&sort=name"), "sort", undefined).toString()).toBe("theirs=1");
  expect(withValues(from("theirs=1"), { a: "2", b: "" }).toString()).toBe("theirs=1&a=2");
});

test("nothing changes the parameters that it was given", () => {
  const params = from("a=1");
  withToggled(params, "a", "1");
  withValue(params, "a", undefined);
  expect(params.toString()).toBe("a=1");
});

test("instants survive the address", () => {
  expect(formatInstant(1_360_386_000)).toBe("2013-02-09T05:00Z");
  expect(parseInstant("2013-02-09T05:00Z")).toBe(1_360_386_000);
  expect(parseInstant("1360386000")).toBe(1_360_386_000);
  expect(parseInstant("soon")).toBeUndefined();
  expect(parseInstant(null)).toBeUndefined();
});

test("a window needs both ends in order", () => {
  expect(windowOf(from("start=10&end=20"))).toEqual({ start: 10, end: 20 });
  expect(windowOf(from("start=20&end=10"))).toBeUndefined();
  expect(windowOf(from("start=10"))).toBeUndefined();
});
