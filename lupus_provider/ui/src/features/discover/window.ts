/** How much around a chosen window the cards show. */
import type { Range } from "../../charts/types.ts";

const YEAR = 366 * 86_400;

/**
 * All history where it is at most a year, else a year around the window, or the last year: a window of two days alone would be two
 * points, and ten years would hide it.
 */
export function contextOf(window: Range | undefined, first: number | undefined, last: number | undefined): Range | undefined {
  if (first === undefined || last === undefined || last - first <= YEAR) return undefined;
  const end = window ? Math.min(last, window.end + Math.max(0, (YEAR - (window.end - window.start)) / 2)) : last;
  const start = Math.max(first, Math.min(end - YEAR, window?.start ?? end));
  return { start: Math.floor(start), end: Math.ceil(end) + 1 };
}
