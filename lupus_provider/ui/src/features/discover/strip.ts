/** Geometry of the overview strip: which window a drag chooses, and where the bars stand. */
import type { Day } from "../../api/types.ts";
import type { Range } from "../../charts/types.ts";
import { addDays, startOfDay } from "../../lib/zone.ts";

/** Whole days of the zone that a drag between two instants touches. */
export function windowOfDrag(zone: string, a: number, b: number): Range {
  return { start: startOfDay(zone, Math.min(a, b)), end: addDays(zone, Math.max(a, b), 1) };
}

/** Flagged points a civil day, since hourly and daily series share the strip. */
export function perDay(zone: string, days: readonly Day[]): Day[] {
  const sums = new Map<number, number>();
  for (const { t, n_anomalies } of days) {
    const day = startOfDay(zone, t);
    sums.set(day, (sums.get(day) ?? 0) + n_anomalies);
  }
  return [...sums].map(([t, n_anomalies]) => ({ t, n_anomalies })).sort((a, b) => a.t - b.t);
}

/** An SVG path of all bars in a box of 1000 × 100. A bar is at least 2 wide, so that a lone day stays visible,
 * and its height grows with the square root, so that quiet days show beside a storm. */
export function barsPath(days: readonly Day[], range: Range): string {
  const peak = Math.max(1, ...days.map(({ n_anomalies }) => n_anomalies));
  const scale = 1000 / (range.end - range.start);
  const width = Math.max(2, 86_400 * scale * 0.8);
  return days
    .map(({ t, n_anomalies }) => {
      const height = Math.max(4, Math.sqrt(n_anomalies / peak) * 92);
      return `M${((t - range.start) * scale).toFixed(2)} 100v-${height.toFixed(1)}h${width.toFixed(2)}v${height.toFixed(1)}z`;
    })
    .join("");
}
