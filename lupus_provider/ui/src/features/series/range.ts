/** Ranges of the metric chart: presets count back from the newest point, since a series may have ended long ago. */
import type { SeriesSummary } from "../../api/types.ts";
import type { Range } from "../../charts/types.ts";
import { nominalSeconds } from "../../lib/periods.ts";
import { addDays } from "../../lib/zone.ts";

export const PRESETS = [
  { label: "30 d", days: 30 },
  { label: "90 d", days: 90 },
  { label: "1 y", days: 365 },
] as const;

/** From the first point to one period after the newest. */
export function fullRange({ first_period, last_period, period }: SeriesSummary): Range {
  return { start: first_period, end: last_period + nominalSeconds(period) };
}

/** The last `days` civil days up to and with the newest period. */
export function presetRange(series: SeriesSummary, days: number): Range {
  return { start: addDays(series.timezone, series.last_period, 1 - days), end: addDays(series.timezone, series.last_period, 1) };
}

/** At least three periods, whole inside the history; a drag over less than that zooms to its surroundings. */
export function zoomRange(series: SeriesSummary, { start, end }: Range): Range {
  const least = nominalSeconds(series.period) * 3;
  const missing = Math.max(0, least - (end - start)) / 2;
  return { start: Math.floor(start - missing), end: Math.ceil(end + missing) };
}
