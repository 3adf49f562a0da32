/** The component that Airflow mounts at /plugin/lupus/*. */
import { Box } from "@chakra-ui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { useLocation } from "react-router-dom";

import { queryClient } from "../api/queryClient.ts";
import { ErrorBoundary } from "../components/ErrorBoundary.tsx";
import { pageFor, splitPath } from "./routes.tsx";
import { prefetch } from "./prefetch.ts";
import { Shell } from "./Shell.tsx";
import { useSettled } from "./useSettled.ts";

prefetch(location);

export function Lupus() {
  const { pathname } = useLocation();
  const isSettled = useSettled();
  return (
    <QueryClientProvider client={queryClient}>
      <Box h="full" minH="full" overflowY="auto">
        <Shell current={splitPath(pathname)[0]}>
          <ErrorBoundary>{isSettled ? pageFor(pathname) : <Box minH="80vh" />}</ErrorBoundary>
        </Shell>
      </Box>
    </QueryClientProvider>
  );
}
