/** TimeChart in a chunk of its own: a page shows its frame while the chart library loads. */
import { Box } from "@chakra-ui/react";
import { lazy, Suspense } from "react";

import type { TimeChartProps } from "./types.ts";

const TimeChart = lazy(async () => ({ default: (await import("./TimeChart.tsx")).TimeChart }));

export function LazyTimeChart(props: TimeChartProps) {
  return (
    <Suspense fallback={<Box h={`${props.height}px`} />}>
      <TimeChart {...props} />
    </Suspense>
  );
}
