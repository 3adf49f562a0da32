/** A grid of cards; cards of one `page` share one request for their points. */
import { Grid } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import { pointsQuery } from "../api/queries.ts";
import type { SeriesSummary } from "../api/types.ts";
import type { Range } from "../charts/types.ts";
import { SeriesCard } from "./SeriesCard.tsx";

type Props = {
  readonly series: readonly SeriesSummary[];
  readonly distinct: ReadonlySet<string>;
  readonly syncKey: string;
  readonly range?: Range | undefined;
  readonly window?: Range | undefined;
  readonly onRange?: ((range: Range) => void) | undefined;
};

const THUMB_POINTS = 400;

export const wallColumns = "repeat(auto-fill, minmax(min(380px, 100%), 1fr))";

/** The cards of one page, without a grid around them, so that pages flow into one wall. */
export function WallPage({ series, distinct, ...chart }: Props) {
  const ids = series.map((one) => one.series_id);
  const { data, isError, refetch } = useQuery(pointsQuery({ ids, max_points: THUMB_POINTS, ...chart.range }));
  const byId = useMemo(() => new Map(data?.items.map((points) => [points.series_id, points])), [data]);
  const retry = useCallback(() => void refetch(), [refetch]);
  return series.map((one) => (
    <SeriesCard
      key={one.series_id}
      {...chart}
      series={one}
      distinct={distinct}
      points={byId.get(one.series_id)}
      isFailed={isError || (data !== undefined && !byId.has(one.series_id))}
      onRetry={retry}
    />
  ));
}

export function SeriesWall(props: Props) {
  return (
    <Grid gap={3} templateColumns={wallColumns}>
      <WallPage {...props} />
    </Grid>
  );
}
