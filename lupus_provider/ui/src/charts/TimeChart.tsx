/** A series over time on a canvas: line, expected band, anomaly marks and ribbon, crosshair, drag to choose a range. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import css from "uplot/dist/uPlot.min.css?inline";

import { listenForPick, optionsOf } from "./options.ts";
import { readPalette } from "./palette.ts";
import type { TimeChartProps } from "./types.ts";
import { useTheme } from "./useTheme.ts";

const STYLE_ID = "lupus-uplot";
const OURS = ".uplot .u-over{cursor:crosshair}.u-hz .u-cursor-x{border-color:var(--lupus-cursor)}.u-select{background:var(--lupus-window);opacity:.35}";

function addStyle(): void {
  if (document.getElementById(STYLE_ID)) return;
  const style = document.createElement("style");
  style.id = STYLE_ID;
  style.textContent = css + OURS;
  document.head.append(style);
}

function dataOf({ columns: { t, upper, lower, expected, value } }: TimeChartProps): uPlot.AlignedData {
  const none = () => t.map(() => null);
  return [t, upper ?? none(), lower ?? none(), expected ?? none(), value];
}

function create(box: HTMLElement, live: { current: TimeChartProps }): uPlot {
  addStyle();
  const chart = new uPlot(optionsOf(live, readPalette(box), box.clientWidth), dataOf(live.current), box);
  listenForPick(chart, live);
  return chart;
}

export function TimeChart(props: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const live = useRef(props);
  const theme = useTheme();
  const { columns, marks, height, range, syncKey, selected, window, cursorAt } = props;

  useEffect(() => {
    live.current = props;
  });
  useEffect(() => {
    if (!box.current) return undefined;
    const made = create(box.current, live);
    chart.current = made;
    const observer = new ResizeObserver(([entry]) => entry && made.setSize({ width: entry.contentRect.width, height }));
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [theme, columns, marks, height, range?.start, range?.end, syncKey]);
  useEffect(() => chart.current?.redraw(false), [selected, window?.start, window?.end]);
  useEffect(() => {
    const made = chart.current;
    if (made && cursorAt !== undefined) made.setCursor({ left: made.valToPos(cursorAt, "x"), top: 0 });
  }, [cursorAt, columns, theme]);

  return <div ref={box} data-testid="chart" style={{ height, width: "100%", overflow: "hidden" }} />;
}
