/** One cache for the life of the browser page: Airflow remounts the plugin at every change of the path. */
import { QueryClient } from "@tanstack/react-query";

import { ApiError } from "./client.ts";

export function worthRetrying(failures: number, error: Error): boolean {
  const status = error instanceof ApiError ? error.status : 0;
  return failures < 2 && (status === 0 || status >= 500);
}

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 60_000, gcTime: 600_000, retry: worthRetrying, refetchOnWindowFocus: false } },
});
