/** One factory of query options a resource; nothing else in the page spells a path of the API. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { post, request } from "./client.ts";
import type { BatchRequest, BatchResponse, CatalogPage, Me, SeriesDetail } from "./types.ts";

export const PAGE_SIZE = 24;

export const meQuery = () =>
  queryOptions({ queryKey: ["me"], staleTime: 600_000, queryFn: ({ signal }) => request<Me>("/me", { signal }) });

/** `filters`: the parameters of /catalog/search without cursor and limit. */
export const catalogQuery = (filters: string) =>
  infiniteQueryOptions({
    queryKey: ["catalog", filters],
    initialPageParam: "",
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam, signal }) => {
      const params = new URLSearchParams(filters);
      params.set("limit", String(PAGE_SIZE));
      if (pageParam) params.set("cursor", pageParam);
      return request<CatalogPage>(`/catalog/search?${params}`, { signal });
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const pointsQuery = (body: Partial<BatchRequest> & { readonly ids: string[] }) =>
  queryOptions({
    queryKey: ["points", body],
    enabled: body.ids.length > 0,
    queryFn: ({ signal }) => post<BatchResponse>("/series/batch", body, signal),
  });

export const seriesQuery = (seriesId: string) =>
  queryOptions({
    queryKey: ["series", seriesId],
    queryFn: ({ signal }) => request<SeriesDetail>(`/series/${encodeURIComponent(seriesId)}`, { signal }),
  });
