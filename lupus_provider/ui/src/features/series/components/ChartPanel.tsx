/** The chart or the table of points in all its states, under the range bar. */
import { Box, Skeleton, Stack, Text } from "@chakra-ui/react";

import type { SeriesSummary } from "../../../api/types.ts";
import type { Range } from "../../../charts/types.ts";
import { ErrorView } from "../../../components/ErrorView.tsx";
import type { Change } from "../../../components/useSearch.ts";
import { formatInstant, withValue, withValues } from "../../../lib/urlState.ts";
import { zoomRange } from "../range.ts";
import type { useSeries } from "../useSeries.ts";
import { MAIN_HEIGHT, MainChart } from "./MainChart.tsx";
import { PointsTable } from "./PointsTable.tsx";
import { RangeBar } from "./RangeBar.tsx";

type Props = {
  readonly series: SeriesSummary;
  readonly state: ReturnType<typeof useSeries>;
  readonly params: URLSearchParams;
  readonly change: Change;
  readonly onOpen: (t: number | undefined) => void;
};

export function ChartPanel({ series, state, params, change, onOpen }: Props) {
  const { batch, points, marks, range, selectedAt } = state;
  const isTable = params.get("view") === "table";
  const setRange = (next: Range | undefined) =>
    change((now) => withValues(now, { start: next && formatInstant(next.start), end: next && formatInstant(next.end) }));

  return (
    <Box bg="bg" borderWidth="1px" borderColor="border" rounded="lg" p={4}>
      <Stack gap={3} opacity={batch.isPlaceholderData ? 0.6 : 1}>
        <RangeBar series={series} points={points} range={range} isTable={isTable} onRange={setRange} onTable={() => change((now) => withValue(now, "view", isTable ? undefined : "table"))} />
        {batch.error ? (
          <ErrorView error={batch.error} onRetry={() => void batch.refetch()} />
        ) : !points ? (
          <Skeleton h={`${MAIN_HEIGHT + 24}px`} />
        ) : points.t.length === 0 && marks.length === 0 ? (
          <Text h={`${MAIN_HEIGHT + 24}px`} pt={20} textAlign="center" color="fg.muted">No points in this range.</Text>
        ) : isTable ? (
          <PointsTable series={series} points={points} flagged={new Set(marks.map(({ t }) => t))} />
        ) : (
          <MainChart
            series={series} points={points} marks={marks} range={range} selected={selectedAt} onOpen={onOpen}
            onRange={(next) => setRange(zoomRange(series, next))} onReset={() => setRange(undefined)}
          />
        )}
      </Stack>
      {isTable ? undefined : <Text fontSize="xs" color="fg.muted" mt={1}>● anomaly · ✕ nothing arrived · shaded band: expected · drag to zoom, double-click to reset · periods in {series.timezone}</Text>}
    </Box>
  );
}
