/** Why there is nothing on the wall: no data yet, nothing wrong, or filters that leave nothing. */
import { Button, chakra } from "@chakra-ui/react";

import type { CatalogPage } from "../../../api/types.ts";
import { StateView } from "../../../components/StateView.tsx";
import type { Change } from "../../../components/useSearch.ts";
import { countOf, formatCount } from "../../../lib/numbers.ts";
import { withoutFilters } from "../filters.ts";

type Props = { readonly page: CatalogPage; readonly params: URLSearchParams; readonly change: Change };

export function WallEmpty({ page, params, change }: Props) {
  if (page.total_all === 0) {
    return (
      <StateView title="No series yet">
        Series appear once a metric set of a project that you may read has run. Turn its DAG on, or fill in the past with{" "}
        <chakra.code fontSize="sm">lupus backfill PROJECT METRIC_SET --from 2024-01-01 --to 2024-01-31</chakra.code>.
      </StateView>
    );
  }
  const clear = <Button size="sm" variant="outline" mt={3} onClick={() => change(withoutFilters)}>Clear all filters</Button>;
  const isOnlyQuick = [...params.keys()].every((name) => name === "only" || name === "sort" || name === "view");
  if (isOnlyQuick) {
    const what = params.getAll("only").join(" or ");
    return <StateView title={`Nothing is ${what}`}>All {countOf(page.total_all, "series was", "series were")} looked at.<br />{clear}</StateView>;
  }
  return <StateView title={`0 of ${formatCount(page.total_all)} series match`}>No series matches all filters together.<br />{clear}</StateView>;
}
