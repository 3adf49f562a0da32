/** Flagged points a day over all matched series. A click or a drag chooses a window, and the wall sorts by what went wrong in it. */
import { Box, chakra, Flex, Skeleton, Text } from "@chakra-ui/react";
import { useMemo } from "react";

import type { CatalogPage } from "../../../api/types.ts";
import type { Range } from "../../../charts/types.ts";
import { stepFor, tickLabels, timeTicks } from "../../../charts/ticks.ts";
import type { Change } from "../../../components/useSearch.ts";
import { countOf } from "../../../lib/numbers.ts";
import { isoDate } from "../../../lib/periods.ts";
import { formatInstant, windowOf, withValues } from "../../../lib/urlState.ts";
import { addDays, fromIsoDate, startOfDay } from "../../../lib/zone.ts";
import { barsPath, perDay } from "../strip.ts";
import { StripBrush } from "./StripBrush.tsx";
import { WindowInputs } from "./WindowInputs.tsx";

type Props = { readonly page: CatalogPage | undefined; readonly zone: string; readonly params: URLSearchParams; readonly change: Change };

const HEIGHT = "56px";

export function OverviewStrip({ page, zone, params, change }: Props) {
  const window = windowOf(params);
  const days = useMemo(() => perDay(zone, page?.days ?? []), [zone, page?.days]);
  if (!page) return <Skeleton h="108px" />;
  if (page.first_period === null || page.last_period === null) return undefined;

  const range: Range = { start: startOfDay(zone, page.first_period), end: addDays(zone, page.last_period, 1) };
  const choose = ({ start, end }: Range) => change((now) => withValues(now, { start: formatInstant(start), end: formatInstant(end) }));
  const chooseDates = (first: string, last: string) => {
    const start = fromIsoDate(zone, first);
    const end = fromIsoDate(zone, last);
    if (start !== undefined && end !== undefined && start <= end) choose({ start, end: addDays(zone, end, 1) });
  };
  const percent = (t: number) => `${((t - range.start) / (range.end - range.start)) * 100}%`;
  const step = stepFor(range.start, range.end, 12);
  const ticks = timeTicks(zone, range.start, range.end, step).filter((t) => (t - range.start) / (range.end - range.start) < 0.96);
  const labels = tickLabels(zone, ticks, step);
  const total = days.reduce((sum, { n_anomalies }) => sum + n_anomalies, 0);

  return (
    <Box as="section" aria-label="Anomalies per day" borderWidth="1px" borderColor="border" rounded="lg" bg="bg" px={4} pt={2} pb={1}>
      <Flex justify="space-between" align="center" gap={3} mb={1} wrap="wrap">
        <Text fontSize="xs" color="fg.muted">
          <chakra.span fontWeight="semibold" color="fg">{countOf(total, "anomaly", "anomalies")}</chakra.span> in the matched series, by day · click or drag to choose days
        </Text>
        <WindowInputs first={window && isoDate(window.start, zone)} last={window && isoDate(window.end - 1, zone)} min={isoDate(range.start, zone)} max={isoDate(range.end - 1, zone)} onChange={chooseDates} />
      </Flex>
      <StripBrush days={days} range={range} window={window} zone={zone} height={HEIGHT} onWindow={choose}>
        <chakra.svg viewBox="0 0 1000 100" preserveAspectRatio="none" w="full" h="full" display="block" aria-hidden="true">
          <chakra.path d={barsPath(days, range)} css={{ fill: "var(--lupus-mark)" }} />
        </chakra.svg>
      </StripBrush>
      <Box position="relative" h="18px" fontSize="11px" color="fg.muted" aria-hidden="true">
        {ticks.map((t, i) => <chakra.span key={t} display={{ base: i % 2 ? "none" : "inline", md: "inline" }} position="absolute" top="2px" style={{ left: percent(t) }} whiteSpace="nowrap">{labels[i]}</chakra.span>)}
      </Box>
    </Box>
  );
}
