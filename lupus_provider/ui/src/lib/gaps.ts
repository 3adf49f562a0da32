/** Where periods are missing, a chart must break its line: uPlot does so at a null. */
import type { Period, SeriesPoints } from "../api/types.ts";
import { nominalSeconds } from "./periods.ts";

type Column = (number | null)[];

/** Columns of one length for a chart; `gaps` are the spans between two points that stand further apart than a period. */
export type ChartColumns = {
  readonly t: number[];
  readonly value: Column;
  readonly expected: Column | undefined;
  readonly lower: Column | undefined;
  readonly upper: Column | undefined;
  readonly gaps: readonly (readonly [number, number])[];
};

/** Find the spans with missing periods. Thinned points stand apart by themselves, so they have none. */
export function gapsOf(points: SeriesPoints, period: Period): [number, number][] {
  if (points.method !== "raw") return [];
  const limit = nominalSeconds(period) * 1.6;
  return points.t.flatMap((t, i) => {
    const before = points.t[i - 1];
    return before !== undefined && t - before > limit ? [[before, t] as [number, number]] : [];
  });
}

/** Columns with one null inside every gap. */
export function withGaps(points: SeriesPoints, period: Period): ChartColumns {
  const gaps = gapsOf(points, period);
  const breaks = new Map(gaps.map(([before, after]) => [after, (before + after) / 2]));
  const spread = <T>(column: readonly T[] | null | undefined, filler: (after: number) => T): T[] | undefined =>
    column?.flatMap((item, i) => {
      const t = points.t[i] ?? 0;
      return breaks.has(t) ? [filler(t), item] : [item];
    });
  return {
    t: spread(points.t, (after) => breaks.get(after) ?? after) ?? [],
    value: spread<number | null>(points.value, () => null) ?? [],
    expected: spread<number | null>(points.expected, () => null),
    lower: spread<number | null>(points.lower, () => null),
    upper: spread<number | null>(points.upper, () => null),
    gaps,
  };
}
