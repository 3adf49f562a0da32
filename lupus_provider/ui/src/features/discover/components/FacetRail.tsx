/** The column of facets; values of one facet are joined by OR, facets by AND. */
import { Box, Button, chakra, Skeleton, Stack, VisuallyHidden } from "@chakra-ui/react";
import { useState } from "react";

import type { Facet } from "../../../api/types.ts";
import type { Change } from "../../../components/useSearch.ts";
import { withToggled } from "../../../lib/urlState.ts";
import { FacetGroup } from "./FacetGroup.tsx";

type Props = { readonly facets: readonly Facet[] | undefined; readonly params: URLSearchParams; readonly change: Change };

/** A facet with one value narrows nothing, unless it is chosen. */
function isUseful({ name, values }: Facet, params: URLSearchParams): boolean {
  return values.length > 1 || params.has(name) || name === "project";
}

export function FacetRail({ facets, params, change }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <chakra.nav aria-label="Filters" w={{ base: "full", md: "220px" }} flexShrink={0}>
      <VisuallyHidden asChild><h2>Filters</h2></VisuallyHidden>
      <Button display={{ md: "none" }} size="sm" variant="outline" mb={2} aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>Filters</Button>
      <Box display={{ base: isOpen ? "block" : "none", md: "block" }}>
        <Stack gap={4}>
          {facets
            ?.filter((facet) => isUseful(facet, params))
            .map((facet) => (
              <FacetGroup key={facet.name} facet={facet} chosen={params.getAll(facet.name)} onToggle={(value) => change((now) => withToggled(now, facet.name, value))} />
            )) ?? [0, 1, 2].map((i) => <Skeleton key={i} h="130px" />)}
        </Stack>
      </Box>
    </chakra.nav>
  );
}
