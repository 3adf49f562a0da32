/** Periods as people read them: the local date of the project, never the UTC instant that it is stored as. */
import type { Period } from "../api/types.ts";
import { civil } from "./zone.ts";

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const NOMINAL: Record<Period, number> = { hour: 3600, day: 86_400, week: 604_800, month: 2_629_746 };

const pad = (number: number) => String(number).padStart(2, "0");

/** Usual seconds from one period to the next. */
export function nominalSeconds(period: Period): number {
  return NOMINAL[period];
}

/** `2013-02-09` */
export function isoDate(t: number, zone: string): string {
  return civil(zone, t).toISOString().slice(0, 10);
}

/** `2013-02-09`, `2013-02-09 14:00`, `2013-02`; a week is the day that it starts on. */
export function formatPeriod(t: number, period: Period, zone: string): string {
  const date = isoDate(t, zone);
  if (period === "month") return date.slice(0, 7);
  return period === "hour" ? `${date} ${clockTime(t, zone)}` : date;
}

/** `Sat 2013-02-09`; weekly and monthly periods as `formatPeriod`. */
export function formatPeriodLong(t: number, period: Period, zone: string): string {
  const text = formatPeriod(t, period, zone);
  if (period === "month") return text;
  if (period === "week") return `week of ${text}`;
  return `${WEEKDAYS[civil(zone, t).getUTCDay()] ?? ""} ${text}`;
}

/** `14:00` */
export function clockTime(t: number, zone: string): string {
  const date = civil(zone, t);
  return `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`;
}

/** `2013-02-09 05:00 UTC` */
export function formatUtc(t: number): string {
  return `${new Date(t * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** `2013-02-08 – 2013-02-09`, or one date where both ends are in one day. `end` is exclusive. */
export function formatWindow(start: number, end: number, zone: string): string {
  const first = isoDate(start, zone);
  const last = isoDate(end - 1, zone);
  return first === last ? first : `${first} – ${last}`;
}
