/** Metric chart: one series with its expected band, its anomalies, and what is known about it. */
import { Box, Flex, Heading, Skeleton, Stack } from "@chakra-ui/react";
import { useRef } from "react";

import { ErrorView } from "../../components/ErrorView.tsx";
import { Panel } from "../../components/Panel.tsx";
import { useScrollMemory } from "../../components/useScrollMemory.ts";
import { useSearch } from "../../components/useSearch.ts";
import { formatInstant, withValue, withValues } from "../../lib/urlState.ts";
import { seriesIdOf } from "../../lib/seriesName.ts";
import { AnomaliesTable } from "./components/AnomaliesTable.tsx";
import { AnomalyPanel } from "./components/AnomalyPanel.tsx";
import { ChartPanel } from "./components/ChartPanel.tsx";
import { MAIN_HEIGHT } from "./components/MainChart.tsx";
import { FactsPanel } from "./components/FactsPanel.tsx";
import { RelatedSeries } from "./components/RelatedSeries.tsx";
import { SeriesHeader } from "./components/SeriesHeader.tsx";
import { fullRange } from "./range.ts";
import { useSeries } from "./useSeries.ts";

export function SeriesPage({ rest }: { readonly rest: string }) {
  const [params, change] = useSearch();
  const state = useSeries(seriesIdOf(rest), params);
  const { detail, marks, range, selected, selectedAt } = state;
  const box = useRef<HTMLDivElement>(null);
  useScrollMemory(box, detail.data !== undefined);

  if (detail.error) return <><Heading as="h1" size="xl" mb={3}>Metric chart</Heading><ErrorView error={detail.error} onRetry={() => void detail.refetch()} /></>;
  if (!detail.data) return <Stack gap={3}><Heading as="h1" size="xl">Metric chart</Heading><Skeleton h={`${MAIN_HEIGHT + 110}px`} /></Stack>;

  const { summary, related } = detail.data;
  const open = (t: number | undefined) => change((now) => withValue(now, "a", t === undefined ? undefined : String(t)), { replace: true });
  const absoluteSearch = () => {
    const { start, end } = range ?? fullRange(summary);
    return withValues(params, { start: formatInstant(start), end: formatInstant(end) });
  };

  return (
    <Stack ref={box} gap={4}>
      <SeriesHeader series={summary} absoluteSearch={absoluteSearch} />
      <Flex gap={4} align="start" direction={{ base: "column", xl: "row" }}>
        <Stack flex="1" minW={0} w="full" gap={4}>
          <ChartPanel series={summary} state={state} params={params} change={change} onOpen={open} />
          <Panel title={`Anomalies (${marks.length})`}>
            <AnomaliesTable series={summary} marks={marks} selected={selectedAt} onOpen={open} />
          </Panel>
        </Stack>
        <Stack gap={4} w={{ base: "full", xl: "340px" }} flexShrink={0}>
          {selected ? <AnomalyPanel series={summary} anomaly={selected} flagged={marks.map(({ t }) => t)} onOpen={open} /> : undefined}
          <FactsPanel detail={detail.data} />
        </Stack>
      </Flex>
      <Box><RelatedSeries related={related} range={range} /></Box>
    </Stack>
  );
}
