/** What the URL of the metric chart asks for: the series, the range, the chosen anomaly, and their data. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { pointsQuery, seriesQuery } from "../../api/queries.ts";
import { strongest } from "../../lib/anomalies.ts";
import { parseInstant, windowOf } from "../../lib/urlState.ts";

const MAX_POINTS = 2000;

export function useSeries(seriesId: string, params: URLSearchParams) {
  const range = useMemo(() => windowOf(params), [params]);
  const detail = useQuery(seriesQuery(seriesId));
  const batch = useQuery({
    ...pointsQuery({ ids: [seriesId], max_points: MAX_POINTS, band: true, ...range }),
    // Other points of the same series stay while a new range loads; those of another series must not.
    placeholderData: (previous, query) => (query && JSON.stringify(query.queryKey).includes(seriesId) ? keepPreviousData(previous) : undefined),
  });
  const points = batch.data?.items[0];
  const marks = useMemo(() => strongest(points?.anomalies ?? []), [points]);
  const selectedAt = parseInstant(params.get("a"));
  return { detail, batch, points, marks, range, selectedAt, selected: marks.find(({ t }) => t === selectedAt) };
}
