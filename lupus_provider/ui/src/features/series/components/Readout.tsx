/** The point under the crosshair in words; spoken to screen readers when the keyboard moves it. */
import { chakra, HStack, Text } from "@chakra-ui/react";

import type { AnomalyPoint, SeriesPoints, SeriesSummary } from "../../../api/types.ts";
import { formatCount, formatValue } from "../../../lib/numbers.ts";
import { formatPeriodLong } from "../../../lib/periods.ts";

type Props = {
  readonly series: SeriesSummary;
  readonly points: SeriesPoints;
  readonly marks: readonly AnomalyPoint[];
  readonly at: number | undefined;
};

function bandOf({ lower, upper, expected }: SeriesPoints, i: number, unit: string): string | undefined {
  const low = lower?.[i];
  const high = upper?.[i];
  if (low != null && high != null) return `${formatValue(low, unit)} – ${formatValue(high, unit)}`;
  const middle = expected?.[i];
  return middle == null ? undefined : formatValue(middle, unit);
}

export function Readout({ series, points, marks, at }: Props) {
  const i = at === undefined ? points.t.length - 1 : points.t.indexOf(at);
  const t = points.t[i];
  if (t === undefined) return <Text minH="1.5rem" />;
  const band = bandOf(points, i, series.unit);
  const rows = points.n_rows?.[i];
  const error = points.error?.[i];
  return (
    <HStack gap={4} fontSize="sm" minH="1.5rem" wrap="wrap" fontVariantNumeric="tabular-nums" aria-live="polite" aria-atomic="true">
      <chakra.span color="fg.muted">{formatPeriodLong(t, series.period, series.timezone)}</chakra.span>
      <chakra.span fontWeight="semibold">{formatValue(points.value[i], series.unit)}</chakra.span>
      {band ? <chakra.span color="fg.muted">expected {band}</chakra.span> : undefined}
      {rows == null ? undefined : <chakra.span color="fg.muted">{formatCount(rows)} rows</chakra.span>}
      {error ? <chakra.span color="red.fg">{error}</chakra.span> : undefined}
      {marks.some((mark) => mark.t === t) ? <chakra.span color="red.fg" fontWeight="semibold">● anomaly</chakra.span> : undefined}
    </HStack>
  );
}
