import { expect, test } from "vitest";

import { anomaly, NEMO } from "../testing/builders.ts";
import { formatBand, neighbour, sentenceOf, strongest } from "./anomalies.ts";

test("of two detectors the stranger verdict stands for the period", () => {
  const list = [anomaly({ t: NEMO + 9, score: 0.1 }), anomaly({ score: 1e-4 }), anomaly({ score: 1e-9, detector: "window:2" }), anomaly({ score: null })];
  expect(strongest(list).map(({ t, detector }) => [t, detector])).toEqual([[NEMO, "window:2"], [NEMO + 9, "seasonal:1f0c2a9b"]]);
});

test("the sentence says what came and what was expected", () => {
  expect(sentenceOf(anomaly(), "ratio")).toBe("57% where 1% was expected.");
  expect(sentenceOf(anomaly({ expected: null, upper: null, lower: 1, value: 0 }), "count")).toBe("0 where at least 1 was expected.");
  expect(sentenceOf(anomaly({ value: null }), "ratio")).toBe("No value arrived for this period.");
});

test("a band may be open at one side", () => {
  expect(formatBand(anomaly({ lower: null }), "ratio")).toBe("at most 5%");
  expect(formatBand(anomaly({ lower: null, upper: null }), "ratio")).toBeUndefined();
});

test("neighbours stop at both ends", () => {
  expect(neighbour([1, 5, 9], 5, 1)).toBe(9);
  expect(neighbour([1, 5, 9], 5, -1)).toBe(1);
  expect(neighbour([1, 5, 9], 9, 1)).toBeUndefined();
  expect(neighbour([1, 5, 9], undefined, 1)).toBe(1);
  expect(neighbour([1, 5, 9], undefined, -1)).toBe(9);
});
