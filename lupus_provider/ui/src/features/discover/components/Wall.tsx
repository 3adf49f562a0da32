/** The chart wall: pages of cards, one request for points a page. */
import { Grid, VisuallyHidden } from "@chakra-ui/react";
import { useCallback, useMemo } from "react";

import type { CatalogPage } from "../../../api/types.ts";
import type { Range } from "../../../charts/types.ts";
import { WallPage, wallColumns } from "../../../components/SeriesWall.tsx";
import type { Change } from "../../../components/useSearch.ts";
import { distinguishingKeys } from "../../../lib/seriesName.ts";
import { formatInstant, withValues } from "../../../lib/urlState.ts";
import { windowOfDrag } from "../strip.ts";
import { contextOf } from "../window.ts";

type Props = { readonly pages: readonly CatalogPage[]; readonly window: Range | undefined; readonly zone: string; readonly change: Change };

export function Wall({ pages, window, zone, change }: Props) {
  const distinct = useMemo(() => distinguishingKeys(pages.flatMap(({ items }) => items)), [pages]);
  const first = pages[0]?.first_period ?? undefined;
  const last = pages[0]?.last_period ?? undefined;
  const range = useMemo(() => contextOf(window, first, last), [window, first, last]);
  const choose = useCallback(
    ({ start, end }: Range) => {
      const days = windowOfDrag(zone, start, end);
      change((now) => withValues(now, { start: formatInstant(days.start), end: formatInstant(days.end) }));
    },
    [zone, change],
  );
  return (
    <section>
      <VisuallyHidden asChild><h2>Series</h2></VisuallyHidden>
      <Grid gap={3} templateColumns={wallColumns}>
        {pages.map((page, i) => (
          <WallPage key={i} series={page.items} distinct={distinct} syncKey="lupus-wall" range={range} window={window} onRange={choose} />
        ))}
      </Grid>
    </section>
  );
}
