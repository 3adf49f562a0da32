/** Name of a series: what tells it apart in bold, what all its neighbours share dimmed. */
import { chakra } from "@chakra-ui/react";

import type { SeriesSummary } from "../api/types.ts";
import { nameParts } from "../lib/seriesName.ts";

type Props = { readonly series: SeriesSummary; readonly distinct: ReadonlySet<string> };

/** Project and metric set appear only where the list mixes several. */
const QUIET = new Set(["project", "metric_set"]);

export function SeriesName({ series, distinct }: Props) {
  const parts = nameParts(series).filter(({ key }) => !QUIET.has(key) || distinct.has(key));
  const isStrong = (key: string) => distinct.size === 0 || distinct.has(key);
  return (
    <chakra.span display="flex" flexWrap="wrap" columnGap={1.5} lineHeight="short">
      {parts.map(({ key, text }) => (
        <chakra.span key={key} fontWeight={isStrong(key) ? "semibold" : "normal"} color={isStrong(key) ? "fg" : "fg.muted"} overflowWrap="anywhere">
          {text}
        </chakra.span>
      ))}
    </chakra.span>
  );
}
