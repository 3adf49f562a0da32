/** What the wall is narrowed by now, each with a button that takes it away. */
import { Button, HStack } from "@chakra-ui/react";

import type { Change } from "../../../components/useSearch.ts";
import { formatWindow } from "../../../lib/periods.ts";
import { windowOf, withToggled, withValue, withValues } from "../../../lib/urlState.ts";
import { facetLabel, hasFilters, isFacet, valueLabel, withoutFilters } from "../filters.ts";

type Props = { readonly params: URLSearchParams; readonly change: Change; readonly zone: string };

type Chosen = { readonly label: string; readonly remove: (params: URLSearchParams) => URLSearchParams };

function chosenOf(params: URLSearchParams, zone: string): Chosen[] {
  const window = windowOf(params);
  const q = params.get("q");
  return [
    ...(q ? [{ label: `“${q}”`, remove: (now: URLSearchParams) => withValue(now, "q", undefined) }] : []),
    ...[...params].filter(([name]) => isFacet(name)).map(([name, value]) => ({
      label: `${facetLabel(name)}: ${valueLabel(name, value)}`,
      remove: (now: URLSearchParams) => withToggled(now, name, value),
    })),
    ...(window
      ? [{ label: formatWindow(window.start, window.end, zone), remove: (now: URLSearchParams) => withValues(now, { start: undefined, end: undefined }) }]
      : []),
  ];
}

export function ChosenFilters({ params, change, zone }: Props) {
  if (!hasFilters(params)) return undefined;
  return (
    <HStack gap={2} flexWrap="wrap">
      {chosenOf(params, zone).map(({ label, remove }) => (
        <Button key={label} size="2xs" variant="subtle" aria-label={`Remove filter ${label}`} onClick={() => change(remove)}>{label} ✕</Button>
      ))}
      <Button size="2xs" variant="plain" textDecoration="underline" onClick={() => change(withoutFilters)}>Clear all</Button>
    </HStack>
  );
}
