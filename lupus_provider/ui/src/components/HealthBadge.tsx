/** How many periods of a series are flagged, and whether it is stale: a glyph and words, not colour alone. */
import { Badge, HStack } from "@chakra-ui/react";

import type { SeriesSummary } from "../api/types.ts";
import { countOf } from "../lib/numbers.ts";

export function HealthBadge({ series }: { readonly series: SeriesSummary }) {
  return (
    <HStack gap={1} flexShrink={0}>
      {series.is_stale ? <Badge colorPalette="gray" variant="subtle">◌ stale</Badge> : undefined}
      {series.n_anomalies > 0 ? (
        <Badge colorPalette="red" variant="subtle">● {countOf(series.n_anomalies, "anomaly", "anomalies")}</Badge>
      ) : undefined}
    </HStack>
  );
}
