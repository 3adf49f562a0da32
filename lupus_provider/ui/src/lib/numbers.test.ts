import { expect, test } from "vitest";

import { countOf, formatScore, formatTick, formatValue } from "./numbers.ts";

test("ratios are percent, counts whole, others four digits", () => {
  expect(formatValue(0.5712, "ratio")).toBe("57.1%");
  expect(formatValue(0.0123, "ratio")).toBe("1.23%");
  expect(formatValue(92_345, "count")).toBe("92,345");
  expect(formatValue(12.34567, "column")).toBe("12.35");
  expect(formatValue(123_456.7, "column")).toBe("123,457");
  expect(formatValue(1.5, "seconds")).toBe("1.5 s");
});

test("a missing value is a dash, zero is zero", () => {
  expect(formatValue(null, "ratio")).toBe("–");
  expect(formatValue(undefined, "count")).toBe("–");
  expect(formatValue(0, "column")).toBe("0");
});

test("ticks show as many digits as their step needs", () => {
  expect(formatTick(0.2, 0.2, "ratio")).toBe("20%");
  expect(formatTick(0.005, 0.005, "ratio")).toBe("0.5%");
  expect(formatTick(1.25, 0.05, "column")).toBe("1.25");
  expect(formatTick(250_000, 50_000, "count")).toBe("250K");
});

test("small probabilities are powers of ten", () => {
  expect(formatScore(0.004)).toBe("0.004");
  expect(formatScore(3.14e-7)).toBe("3.1 × 10⁻⁷");
  expect(formatScore(1e-12)).toBe("1.0 × 10⁻¹²");
  expect(formatScore(0)).toBe("< 10⁻³⁰⁰");
  expect(formatScore(null)).toBe("–");
});

test("one is singular", () => {
  expect(countOf(1, "anomaly", "anomalies")).toBe("1 anomaly");
  expect(countOf(1200, "anomaly", "anomalies")).toBe("1,200 anomalies");
});
