/** Where the ticks of a time axis stand and what they say, in the civil time of a zone. */
import { addDays, civil, fromCivil, startOfDay } from "../lib/zone.ts";
import { clockTime } from "../lib/periods.ts";

const DAY = 86_400;
const HOURS = [1, 3, 6, 12];
const DAYS = [1, 2, 7, 14];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120];

export type Step = { readonly unit: "hour" | "day" | "month"; readonly size: number };

/** The finest step that leaves at most `count` ticks between `min` and `max`. */
export function stepFor(min: number, max: number, count: number): Step {
  const span = (max - min) / Math.max(1, count);
  const hours = HOURS.find((size) => size * 3600 >= span);
  if (hours) return { unit: "hour", size: hours };
  const days = DAYS.find((size) => size * DAY >= span);
  if (days) return { unit: "day", size: days };
  return { unit: "month", size: MONTHS.find((size) => size * 30 * DAY >= span) ?? 240 };
}

function monthTicks(zone: string, min: number, max: number, size: number): number[] {
  const first = civil(zone, min);
  const start = first.getUTCFullYear() * 12 + first.getUTCMonth();
  const ticks: number[] = [];
  for (let month = Math.floor(start / size) * size; ; month += size) {
    const t = fromCivil(zone, Date.UTC(Math.floor(month / 12), month % 12) / 1000);
    if (t > max) return ticks;
    if (t >= min) ticks.push(t);
  }
}

/** Ticks from `min` to `max`, on midnights, full hours or first days of months of the zone. */
export function timeTicks(zone: string, min: number, max: number, step: Step): number[] {
  if (step.unit === "month") return monthTicks(zone, min, max, step.size);
  const ticks: number[] = [];
  let t = startOfDay(zone, min);
  while (t <= max) {
    if (t >= min) ticks.push(t);
    t = step.unit === "day" ? addDays(zone, t, step.size) : t + step.size * 3600;
  }
  return ticks;
}

/** `Feb 9`, `Feb`, `14:00`; the year joins at the first tick and where it changes. */
export function tickLabels(zone: string, ticks: readonly number[], step: Step): string[] {
  const lang = document.documentElement.lang || "en";
  const month = new Intl.DateTimeFormat(lang, { month: "short", timeZone: "UTC" });
  const day = new Intl.DateTimeFormat(lang, { month: "short", day: "numeric", timeZone: "UTC" });
  return ticks.map((t, i) => {
    const date = civil(zone, t);
    const before = ticks[i - 1];
    if (step.unit === "hour" && before !== undefined && civil(zone, before).getUTCDate() === date.getUTCDate()) return clockTime(t, zone);
    const text = (step.unit === "month" ? month : day).format(date);
    const isNewYear = before === undefined || civil(zone, before).getUTCFullYear() !== date.getUTCFullYear();
    return isNewYear && step.unit === "month" ? `${text} ${date.getUTCFullYear()}` : text;
  });
}
