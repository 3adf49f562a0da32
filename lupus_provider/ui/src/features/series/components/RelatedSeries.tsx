/** The same column and metric in the other groups, strangest first. */
import { useMemo } from "react";

import type { SeriesSummary } from "../../../api/types.ts";
import type { Range } from "../../../charts/types.ts";
import { Panel } from "../../../components/Panel.tsx";
import { SeriesWall } from "../../../components/SeriesWall.tsx";
import { distinguishingKeys } from "../../../lib/seriesName.ts";

type Props = { readonly related: readonly SeriesSummary[]; readonly range: Range | undefined };

export function RelatedSeries({ related, range }: Props) {
  const distinct = useMemo(() => distinguishingKeys(related), [related]);
  if (related.length === 0) return undefined;
  return (
    <Panel title="Same metric in other groups">
      <SeriesWall series={related} distinct={distinct} syncKey="lupus-related" range={range} />
    </Panel>
  );
}
