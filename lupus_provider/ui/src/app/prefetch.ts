/** Asks for the data of the opened address while Airflow still renders; the page then finds it in the cache. */
import { catalogQuery, meQuery, seriesQuery } from "../api/queries.ts";
import { queryClient } from "../api/queryClient.ts";
import { catalogFilters } from "../features/discover/filters.ts";
import { seriesIdOf } from "../lib/seriesName.ts";
import { splitPath } from "./routes.tsx";

export function prefetch({ pathname, search }: Pick<Location, "pathname" | "search">): void {
  const [page, rest] = splitPath(pathname);
  void queryClient.prefetchQuery(meQuery());
  if (page === "" || page === "discover") void queryClient.prefetchInfiniteQuery(catalogQuery(catalogFilters(new URLSearchParams(search))));
  if (page === "series" && rest) void queryClient.prefetchQuery(seriesQuery(seriesIdOf(rest)));
}
