/** What a flagged point says in words. */
import type { AnomalyPoint } from "../api/types.ts";
import { formatValue } from "./numbers.ts";

/** One entry a period: of several detectors that flagged it, the one with the smallest score. */
export function strongest(anomalies: readonly AnomalyPoint[]): AnomalyPoint[] {
  const byPeriod = new Map<number, AnomalyPoint>();
  for (const anomaly of anomalies) {
    const known = byPeriod.get(anomaly.t);
    if (!known || (anomaly.score ?? 1) < (known.score ?? 1)) byPeriod.set(anomaly.t, anomaly);
  }
  return [...byPeriod.values()].sort((a, b) => a.t - b.t);
}

/** `1.2 % – 4.5 %`, `at least 1`, or undefined where the detector has no band. */
export function formatBand(anomaly: AnomalyPoint, unit: string): string | undefined {
  const { lower, upper } = anomaly;
  if (lower !== null && upper !== null) return `${formatValue(lower, unit)} – ${formatValue(upper, unit)}`;
  if (lower !== null) return `at least ${formatValue(lower, unit)}`;
  return upper === null ? undefined : `at most ${formatValue(upper, unit)}`;
}

/** `57.3 % where 1.2 % was expected` */
export function sentenceOf(anomaly: AnomalyPoint, unit: string): string {
  if (anomaly.value === null) return "No value arrived for this period.";
  const band = formatBand(anomaly, unit);
  const expected = anomaly.expected === null ? band : formatValue(anomaly.expected, unit);
  const value = formatValue(anomaly.value, unit);
  return expected === undefined ? `${value}, flagged as ${anomaly.kind}.` : `${value} where ${expected} was expected.`;
}

/** Period after (`step` 1) or before (-1) `t` that is flagged. */
export function neighbour(periods: readonly number[], t: number | undefined, step: 1 | -1): number | undefined {
  if (t === undefined) return step === 1 ? periods[0] : periods.at(-1);
  return step === 1 ? periods.find((other) => other > t) : periods.findLast((other) => other < t);
}
