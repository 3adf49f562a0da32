/** The large chart with its readout and keys. */
import { Box } from "@chakra-ui/react";
import { useMemo, useState } from "react";

import type { AnomalyPoint, SeriesPoints, SeriesSummary } from "../../../api/types.ts";
import { LazyTimeChart } from "../../../charts/LazyTimeChart.tsx";
import type { Range } from "../../../charts/types.ts";
import { withGaps } from "../../../lib/gaps.ts";
import { countOf, formatValue } from "../../../lib/numbers.ts";
import { useChartKeys } from "../useChartKeys.ts";
import { Readout } from "./Readout.tsx";

export const MAIN_HEIGHT = 380;

type Props = {
  readonly series: SeriesSummary;
  readonly points: SeriesPoints;
  readonly marks: readonly AnomalyPoint[];
  readonly range: Range | undefined;
  readonly selected: number | undefined;
  readonly onOpen: (t: number | undefined) => void;
  readonly onRange: (range: Range) => void;
  readonly onReset: () => void;
};

export function MainChart({ series, points, marks, range, selected, onOpen, onRange, onReset }: Props) {
  const [hovered, setHovered] = useState<number>();
  const columns = useMemo(() => withGaps(points, series.period), [points, series.period]);
  const flagged = useMemo(() => marks.map(({ t }) => t), [marks]);
  const { at, onKeyDown } = useChartKeys({ t: points.t, flagged, onOpen });
  const label = `${series.name}: ${countOf(points.t.length, "point", "points")}, newest ${formatValue(points.value.at(-1), series.unit)}, ${countOf(marks.length, "anomaly", "anomalies")}. Arrow keys read points, Page Up and Page Down anomalies, Enter opens one.`;

  return (
    <Box>
      <Readout series={series} points={points} marks={marks} at={hovered ?? at} />
      <Box role="application" aria-label={label} tabIndex={0} onKeyDown={onKeyDown} rounded="sm" outlineOffset="2px" focusRing="outside" data-testid="main-chart">
        <LazyTimeChart
          columns={columns} marks={marks} unit={series.unit} zone={series.timezone} height={MAIN_HEIGHT} range={range} selected={selected} cursorAt={at}
          onCursor={setHovered} onPick={(t) => t !== undefined && onOpen(t)} onRange={onRange} onReset={onReset}
        />
      </Box>
    </Box>
  );
}
