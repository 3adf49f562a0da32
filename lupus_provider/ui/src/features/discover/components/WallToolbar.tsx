/** Search, quick filters with counts, sort and view. */
import { Button, Flex, HStack, NativeSelect } from "@chakra-ui/react";

import type { CatalogPage } from "../../../api/types.ts";
import { CopyLink } from "../../../components/CopyLink.tsx";
import type { Change } from "../../../components/useSearch.ts";
import { formatCount } from "../../../lib/numbers.ts";
import { withToggled, withValue } from "../../../lib/urlState.ts";
import { DEFAULT_SORT, SORTS } from "../filters.ts";
import { Chip } from "./Chip.tsx";
import { SearchBox } from "./SearchBox.tsx";

type Props = { readonly page: CatalogPage | undefined; readonly params: URLSearchParams; readonly change: Change };

const QUICK = [
  { value: "anomalous", label: "● Anomalous" },
  { value: "stale", label: "◌ Stale" },
];

export function WallToolbar({ page, params, change }: Props) {
  const isTable = params.get("view") === "table";
  return (
    <Flex gap={3} align="center" wrap="wrap">
      <SearchBox params={params} change={change} />
      <HStack gap={2}>
        {QUICK.map(({ value, label }) => (
          <Chip key={value} isOn={params.getAll("only").includes(value)} onToggle={() => change((now) => withToggled(now, "only", value))}>
            {label} {page ? `(${formatCount(page.counts[value] ?? 0)})` : ""}
          </Chip>
        ))}
      </HStack>
      <HStack gap={2} ml={{ md: "auto" }} wrap="wrap">
        <NativeSelect.Root size="sm" w="11rem">
          <NativeSelect.Field
            aria-label="Sort by"
            value={params.get("sort") ?? DEFAULT_SORT}
            onChange={({ target }) => change((now) => withValue(now, "sort", target.value === DEFAULT_SORT ? undefined : target.value))}
          >
            {SORTS.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
        <Button size="sm" variant={isTable ? "solid" : "outline"} aria-pressed={isTable} onClick={() => change((now) => withValue(now, "view", isTable ? undefined : "table"))}>Table</Button>
        <CopyLink search={() => params} />
      </HStack>
    </Flex>
  );
}
