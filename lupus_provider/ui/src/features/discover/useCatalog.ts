/** The pages of the chart wall that the URL asks for. */
import { useInfiniteQuery } from "@tanstack/react-query";

import { catalogQuery } from "../../api/queries.ts";
import { catalogFilters } from "./filters.ts";

export function useCatalog(params: URLSearchParams) {
  const query = useInfiniteQuery(catalogQuery(catalogFilters(params)));
  const pages = query.data?.pages ?? [];
  return { ...query, pages, first: pages[0], series: pages.flatMap((page) => page.items) };
}

export type Catalog = ReturnType<typeof useCatalog>;
