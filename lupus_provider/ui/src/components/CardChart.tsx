/** The chart of a card in all its states, always of the same height. */
import { Box, Button, Skeleton, Stack, Text } from "@chakra-ui/react";
import { useMemo, useRef } from "react";

import type { SeriesPoints, SeriesSummary } from "../api/types.ts";
import { LazyTimeChart } from "../charts/LazyTimeChart.tsx";
import type { Range } from "../charts/types.ts";
import { strongest } from "../lib/anomalies.ts";
import { withGaps } from "../lib/gaps.ts";
import { useNearViewport } from "./useNearViewport.ts";

export const CARD_CHART_HEIGHT = 160;

type Props = {
  readonly series: SeriesSummary;
  readonly points: SeriesPoints | undefined;
  readonly isFailed: boolean;
  readonly syncKey: string;
  readonly range?: Range | undefined;
  readonly window?: Range | undefined;
  readonly onRetry: () => void;
  readonly onCursor: (t: number | undefined) => void;
  readonly onPick: (t: number | undefined) => void;
  readonly onRange?: ((range: Range) => void) | undefined;
};

export function CardChart({ series, points, isFailed, onRetry, ...chart }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const isNear = useNearViewport(box);
  const columns = useMemo(() => points && withGaps(points, series.period), [points, series.period]);
  const marks = useMemo(() => strongest(points?.anomalies ?? []), [points]);

  return (
    <Box ref={box} h={`${CARD_CHART_HEIGHT}px`}>
      {isFailed ? (
        <Stack h="full" align="center" justify="center" gap={2}>
          <Text fontSize="sm" color="fg.muted">The points did not load.</Text>
          <Button size="xs" variant="outline" onClick={onRetry}>Try again</Button>
        </Stack>
      ) : !columns ? (
        <Skeleton h="full" />
      ) : columns.t.length === 0 ? (
        <Text fontSize="sm" color="fg.muted" textAlign="center" pt={16}>No points in this range.</Text>
      ) : isNear ? (
        <LazyTimeChart {...chart} isThumb columns={columns} marks={marks} unit={series.unit} zone={series.timezone} height={CARD_CHART_HEIGHT} />
      ) : undefined}
    </Box>
  );
}
