/** Discover: all series as a wall of charts, narrowed by facets, sorted by what needs attention. */
import { Box, Flex, Heading, Stack, Text } from "@chakra-ui/react";
import { useMemo, useRef } from "react";

import { PAGE_SIZE } from "../../api/queries.ts";
import { ErrorView } from "../../components/ErrorView.tsx";
import { useLatePending } from "../../components/useLatePending.ts";
import { useScrollMemory } from "../../components/useScrollMemory.ts";
import { useSearch } from "../../components/useSearch.ts";
import { formatCount } from "../../lib/numbers.ts";
import { windowOf } from "../../lib/urlState.ts";
import { ChosenFilters } from "./components/ChosenFilters.tsx";
import { FacetRail } from "./components/FacetRail.tsx";
import { OverviewStrip } from "./components/OverviewStrip.tsx";
import { ShowMore } from "./components/ShowMore.tsx";
import { Wall } from "./components/Wall.tsx";
import { WallEmpty } from "./components/WallEmpty.tsx";
import { WallSkeleton } from "./components/WallSkeleton.tsx";
import { WallTable } from "./components/WallTable.tsx";
import { WallToolbar } from "./components/WallToolbar.tsx";
import { useCatalog } from "./useCatalog.ts";

export function DiscoverPage() {
  const [params, change] = useSearch();
  const catalog = useCatalog(params);
  const { first, pages, series, error, isPlaceholderData } = catalog;
  const isLate = useLatePending(catalog.isPending);
  const window = useMemo(() => windowOf(params), [params]);
  const box = useRef<HTMLDivElement>(null);
  useScrollMemory(box, first !== undefined);
  const zone = first?.items[0]?.timezone ?? "UTC";
  const left = first ? first.total - series.length : 0;

  return (
    <Stack ref={box} gap={3}>
      <Flex align="baseline" gap={3} wrap="wrap">
        <Heading as="h1" size="xl">Discover</Heading>
        <Text color="fg.muted" fontSize="sm" role="status">
          {first ? `${formatCount(first.total)} of ${formatCount(first.total_all)} series` : ""}
        </Text>
      </Flex>
      <WallToolbar page={first} params={params} change={change} />
      <ChosenFilters params={params} change={change} zone={zone} />
      {error && !first ? (
        <ErrorView error={error} onRetry={() => void catalog.refetch()} />
      ) : (
        <Flex gap={5} align="start" direction={{ base: "column", md: "row" }}>
          <FacetRail facets={first?.facets} params={params} change={change} />
          <Stack flex="1" minW={0} w="full" gap={3} opacity={isPlaceholderData ? 0.6 : 1} transition="opacity 0.15s" aria-busy={isPlaceholderData}>
            <OverviewStrip page={first} zone={zone} params={params} change={change} />
            {!first ? (
              <Box minH="60vh">{isLate ? <WallSkeleton /> : undefined}</Box>
            ) : series.length === 0 ? (
              <WallEmpty page={first} params={params} change={change} />
            ) : params.get("view") === "table" ? (
              <WallTable series={series} />
            ) : (
              <Wall pages={pages} window={window} zone={zone} change={change} />
            )}
            {catalog.hasNextPage ? (
              <ShowMore count={Math.min(PAGE_SIZE, left)} isLoading={catalog.isFetchingNextPage} onMore={() => void catalog.fetchNextPage()} />
            ) : undefined}
          </Stack>
        </Flex>
      )}
    </Stack>
  );
}
