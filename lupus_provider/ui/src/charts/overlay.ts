/** What Lupus draws on top of uPlot: the asked window, gaps, anomaly marks and the anomaly ribbon under the plot. */
import type uPlot from "uplot";

import type { Palette } from "./palette.ts";
import type { TimeChartProps } from "./types.ts";

const RIBBON = 4;

function span(u: uPlot, start: number, end: number): [number, number] {
  const { left, width } = u.bbox;
  const clamp = (x: number) => Math.min(left + width, Math.max(left, x));
  return [clamp(u.valToPos(start, "x", true)), clamp(u.valToPos(end, "x", true))];
}

/** Under the lines: the window, and a quiet shade where periods are missing. */
export function drawUnder(u: uPlot, props: TimeChartProps, palette: Palette): void {
  const { ctx, bbox } = u;
  const shade = (start: number, end: number, colour: string, alpha: number) => {
    const [from, to] = span(u, start, end);
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    ctx.fillRect(from, bbox.top, Math.max(to - from, 2), bbox.height);
  };
  ctx.save();
  for (const [start, end] of props.columns.gaps) shade(start, end, palette.gap, 0.35);
  if (props.window) shade(props.window.start, props.window.end, palette.window, 0.45);
  ctx.restore();
}

function drawMark(u: uPlot, props: TimeChartProps, palette: Palette, i: number): void {
  const mark = props.marks[i];
  if (!mark) return;
  const { ctx, bbox } = u;
  const scale = devicePixelRatio;
  const x = u.valToPos(mark.t, "x", true);
  if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) return;
  const radius = (props.isThumb ? 3 : 4.5) * scale;
  const y = mark.value === null ? bbox.top + bbox.height - radius - scale : u.valToPos(mark.value, "y", true);
  ctx.beginPath();
  if (mark.value === null) {
    // Nothing arrived: a cross at the foot, since there is no height to put a dot at.
    ctx.moveTo(x - radius, y - radius);
    ctx.lineTo(x + radius, y + radius);
    ctx.moveTo(x + radius, y - radius);
    ctx.lineTo(x - radius, y + radius);
    ctx.lineWidth = 2 * scale;
    ctx.strokeStyle = palette.mark;
    ctx.stroke();
  } else {
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fillStyle = palette.mark;
    ctx.fill();
    ctx.lineWidth = 1.5 * scale;
    ctx.strokeStyle = palette.paper;
    ctx.stroke();
  }
  if (mark.t === props.selected) {
    ctx.beginPath();
    ctx.arc(x, y, radius + 4 * scale, 0, 2 * Math.PI);
    ctx.lineWidth = 2 * scale;
    ctx.strokeStyle = palette.mark;
    ctx.stroke();
  }
}

function drawRibbon(u: uPlot, props: TimeChartProps, palette: Palette): void {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio;
  const top = bbox.top + bbox.height + 3 * scale;
  ctx.fillStyle = palette.track;
  ctx.fillRect(bbox.left, top, bbox.width, RIBBON * scale);
  ctx.fillStyle = palette.mark;
  for (const { t } of props.marks) {
    const x = u.valToPos(t, "x", true);
    if (x >= bbox.left - 1 && x <= bbox.left + bbox.width + 1) ctx.fillRect(x - 1.25 * scale, top, 2.5 * scale, RIBBON * scale);
  }
}

/** Over the lines: ribbon and marks, the selected one last. */
export function drawOver(u: uPlot, props: TimeChartProps, palette: Palette): void {
  u.ctx.save();
  drawRibbon(u, props, palette);
  const order = props.marks.map((_, i) => i);
  order.sort((a, b) => Number(props.marks[a]?.t === props.selected) - Number(props.marks[b]?.t === props.selected));
  for (const i of order) drawMark(u, props, palette, i);
  u.ctx.restore();
}
