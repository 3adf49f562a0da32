/** uPlot's options for a chart of ours; the only file beside TimeChart and overlay that knows uPlot. */
import type uPlot from "uplot";

import { formatTick } from "../lib/numbers.ts";
import { drawOver, drawUnder } from "./overlay.ts";
import type { Palette } from "./palette.ts";
import { stepFor, tickLabels, timeTicks } from "./ticks.ts";
import type { Range, TimeChartProps } from "./types.ts";

const PICK_RADIUS = 12;

/** What must always be that of the last render: callbacks, selection, window. */
export type Live = { current: TimeChartProps };

function axes({ unit, zone, isThumb }: TimeChartProps, palette: Palette): uPlot.Axis[] {
  const font = "11px system-ui, sans-serif";
  const steps = (u: uPlot) => stepFor(u.scales.x?.min ?? 0, u.scales.x?.max ?? 1, u.width / (isThumb ? 90 : 110));
  const x: uPlot.Axis = {
    stroke: palette.text, font, size: 32, gap: 9,
    grid: { show: false },
    ticks: { show: false },
    splits: (u, _axis, min, max) => timeTicks(zone, min, max, steps(u)),
    values: (u, splits) => tickLabels(zone, splits, steps(u)),
  };
  const y: uPlot.Axis = {
    stroke: palette.text, font, size: isThumb ? 46 : 56, gap: 6, space: isThumb ? 36 : 48,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
    values: (...[, splits, , , step]) => splits.map((value) => formatTick(value, step, unit)),
  };
  return [x, y];
}

/** Points that stand alone between two gaps: no line reaches them, so they are drawn as dots. */
export function lonely(values: readonly (number | null | undefined)[]): number[] {
  return values.flatMap((value, i) => (value != null && values[i - 1] == null && values[i + 1] == null ? [i] : []));
}

function series({ isThumb }: TimeChartProps, palette: Palette): uPlot.Series[] {
  const hidden = { stroke: "transparent", width: 0, auto: false, points: { show: false } };
  return [
    {},
    { ...hidden },
    { ...hidden },
    { stroke: palette.expected, width: 1, dash: [4, 4], points: { show: false } },
    {
      stroke: palette.line, width: isThumb ? 1.25 : 1.5,
      points: { size: 4, fill: palette.line, filter: (u, i) => lonely(u.data[i] as (number | null)[]) },
    },
  ];
}

/** Nearly the largest (`share` 0.97) or smallest (0.03) number of a column inside the shown range. */
export function quantile(column: readonly (number | null | undefined)[], share: number): number | undefined {
  const sorted = column.filter((value) => value != null).sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))];
}

/** Room for all values, and for the band but for its few widest days: a detector that just saw a storm expects anything. */
function yRange(u: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const [from, to] = u.series[0]?.idxs ?? [0, 0];
  const shown = (i: number) => (u.data[i] as (number | null)[]).slice(from, to + 1);
  const max = Math.max(high, quantile(shown(1), 0.97) ?? high);
  const min = Math.min(low, quantile(shown(2), 0.03) ?? low);
  if (min === max) return [min - Math.max(Math.abs(min) * 0.1, 0.5), max + Math.max(Math.abs(max) * 0.1, 0.5)];
  const margin = (max - min) * 0.08;
  return [min >= 0 && min - margin < 0 ? 0 : min - margin, max + margin];
}

/** Period of the mark nearest to the cursor, if it is within reach. */
function hit(u: uPlot, { marks }: TimeChartProps): number | undefined {
  const left = u.cursor.left ?? -1;
  const distance = (t: number) => Math.abs(u.valToPos(t, "x") - left);
  const nearest = marks.reduce<number | undefined>((best, { t }) => (best === undefined || distance(t) < distance(best) ? t : best), undefined);
  return nearest !== undefined && distance(nearest) <= PICK_RADIUS ? nearest : undefined;
}

function rangeOf(u: uPlot): Range {
  const { left, width } = u.select;
  return { start: Math.floor(u.posToVal(left, "x")), end: Math.ceil(u.posToVal(left + width, "x")) };
}

function hooks(live: Live, palette: Palette): uPlot.Hooks.Arrays {
  const select = (u: uPlot) => {
    if (u.select.width <= 0) return;
    const range = rangeOf(u);
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    live.current.onRange?.(range);
  };
  return {
    drawClear: [(u) => drawUnder(u, live.current, palette)],
    draw: [(u) => drawOver(u, live.current, palette)],
    setSelect: [select],
    setCursor: [(u) => live.current.onCursor?.(u.cursor.idx == null ? undefined : u.data[0][u.cursor.idx])],
  };
}

/** Listen for a click that was not the end of a drag. */
export function listenForPick(u: uPlot, live: Live): void {
  let downAt = 0;
  u.over.addEventListener("pointerdown", (event) => (downAt = event.clientX));
  u.over.addEventListener("click", (event) => {
    if (Math.abs(event.clientX - downAt) < 4) live.current.onPick?.(hit(u, live.current));
  });
}

export function optionsOf(live: Live, palette: Palette, width: number): uPlot.Options {
  const { height, range, syncKey, isThumb } = live.current;
  const sync = syncKey
    ? { key: syncKey, setSeries: false, filters: { pub: (type: string) => type === "mousemove" || type === "mouseleave", sub: () => true } }
    : undefined;
  return {
    width, height, axes: axes(live.current, palette), series: series(live.current, palette),
    padding: [8, isThumb ? 6 : 12, 0, 0],
    legend: { show: false },
    scales: { x: { time: false, ...(range ? { range: () => [range.start, range.end] as [number, number] } : {}) }, y: { range: yRange } },
    bands: [{ series: [1, 2], fill: palette.band }],
    cursor: {
      y: false,
      points: { size: 7 },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      bind: { dblclick: () => () => (live.current.onReset?.(), null) },
      ...(sync ? { sync: sync as uPlot.Cursor.Sync } : {}),
    },
    hooks: hooks(live, palette),
  };
}
