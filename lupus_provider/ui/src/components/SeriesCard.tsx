/** One series on a wall: name, newest value against the expected one, health, chart. */
import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import { memo, useMemo, useRef } from "react";
import { Link, useNavigate } from "react-router-dom";

import type { SeriesPoints, SeriesSummary } from "../api/types.ts";
import type { Range } from "../charts/types.ts";
import { countOf, formatValue } from "../lib/numbers.ts";
import { formatPeriod, formatPeriodLong } from "../lib/periods.ts";
import { seriesPath } from "../lib/seriesName.ts";
import { CardChart } from "./CardChart.tsx";
import { HealthBadge } from "./HealthBadge.tsx";
import { SeriesName } from "./SeriesName.tsx";

type Props = {
  readonly series: SeriesSummary;
  readonly distinct: ReadonlySet<string>;
  readonly points: SeriesPoints | undefined;
  readonly isFailed: boolean;
  readonly syncKey: string;
  readonly range?: Range | undefined;
  readonly window?: Range | undefined;
  readonly onRetry: () => void;
  readonly onRange?: ((range: Range) => void) | undefined;
};

function latest({ last_value, last_expected, last_period, unit, period, timezone }: SeriesSummary): string {
  const expected = last_expected === null ? "" : `, expected ${formatValue(last_expected, unit)}`;
  return `${formatPeriod(last_period, period, timezone)}: ${formatValue(last_value, unit)}${expected}`;
}

function labelOf(series: SeriesSummary): string {
  return `${series.name}: ${countOf(series.n_points, "point", "points")}, ${countOf(series.n_anomalies, "anomaly", "anomalies")}. ${latest(series)}`;
}

export const SeriesCard = memo(function SeriesCard({ series, distinct, points, ...chart }: Props) {
  const navigate = useNavigate();
  const readout = useRef<HTMLParagraphElement>(null);
  const valueAt = useMemo(() => new Map(points?.t.map((t, i) => [t, points.value[i]])), [points]);
  const rest = latest(series);

  // Written straight into the page: the crosshair runs over the whole wall, and a render a card a move would be felt.
  const showCursor = (t: number | undefined) => {
    if (!readout.current) return;
    const { period, timezone, unit } = series;
    readout.current.textContent = t === undefined ? rest : `${formatPeriodLong(t, period, timezone)}: ${formatValue(valueAt.get(t), unit)}`;
  };
  const open = (t: number | undefined) => void navigate(seriesPath(series) + (t === undefined ? "" : `?a=${t}`));

  return (
    <Box as="article" data-testid="card" bg="bg" borderWidth="1px" borderColor="border" rounded="lg" display="flex" flexDirection="column" justifyContent="space-between" px={4} pt={3} pb={1} minW={0} _hover={{ borderColor: "border.emphasized" }}>
      <Flex justify="space-between" align="start" gap={2}>
        <chakra.h3 fontSize="sm" minW={0} _hover={{ textDecoration: "underline" }}>
          <Link to={seriesPath(series)}><SeriesName series={series} distinct={distinct} /></Link>
        </chakra.h3>
        <HealthBadge series={series} />
      </Flex>
      <Text ref={readout} fontSize="xs" color="fg.muted" fontVariantNumeric="tabular-nums" truncate mt={1} mb={1}>{rest}</Text>
      <Box role="img" aria-label={labelOf(series)}>
        <CardChart {...chart} series={series} points={points} onCursor={showCursor} onPick={open} />
      </Box>
    </Box>
  );
});
