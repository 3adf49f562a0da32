/** One facet: values with the number of series that each would leave; several values mean any of them. */
import { Box, Button, chakra, Heading, Input } from "@chakra-ui/react";
import { useState } from "react";

import type { Facet } from "../../../api/types.ts";
import { formatCount } from "../../../lib/numbers.ts";
import { facetLabel, valueLabel } from "../filters.ts";

type Props = { readonly facet: Facet; readonly chosen: readonly string[]; readonly onToggle: (value: string) => void };

const SHORT = 6;
const SEARCHABLE = 10;

/** Chosen values stay even where the server no longer counts them, else they could not be unchosen. */
export function valuesOf(facet: Facet, chosen: readonly string[]): { readonly value: string; readonly count: number }[] {
  const known = new Set(facet.values.map(({ value }) => value));
  return [...chosen.filter((value) => !known.has(value)).map((value) => ({ value, count: 0 })), ...facet.values];
}

export function FacetGroup({ facet, chosen, onToggle }: Props) {
  const [isLong, setIsLong] = useState(false);
  const [text, setText] = useState("");
  const all = valuesOf(facet, chosen);
  const label = facetLabel(facet.name);
  const matching = all.filter(({ value }) => value.toLowerCase().includes(text.toLowerCase()));
  const shown = isLong || text ? matching : matching.filter(({ value }, i) => i < SHORT || chosen.includes(value));

  return (
    <Box as="section" aria-label={label}>
      <Heading as="h3" size="xs" color="fg.muted" mb={1}>{label}</Heading>
      {all.length > SEARCHABLE ? (
        <Input size="xs" mb={1} aria-label={`Search in ${label}`} placeholder={`Search ${formatCount(all.length)} values`} value={text} onChange={(event) => setText(event.target.value)} />
      ) : undefined}
      {shown.map(({ value, count }) => (
        <chakra.label key={value} display="flex" alignItems="center" gap={2} py="3px" px={1} mx={-1} rounded="sm" cursor="pointer" fontSize="sm" _hover={{ bg: "bg.muted" }}>
          <chakra.input type="checkbox" w="14px" h="14px" flexShrink={0} css={{ accentColor: "{colors.blue.solid}" }} checked={chosen.includes(value)} onChange={() => onToggle(value)} />
          <chakra.span flex="1" minW={0} truncate title={value}>{valueLabel(facet.name, value)}</chakra.span>
          <chakra.span color="fg.muted" fontSize="xs" fontVariantNumeric="tabular-nums">{formatCount(count)}</chakra.span>
        </chakra.label>
      ))}
      {!text && matching.length > SHORT ? (
        <Button size="2xs" variant="plain" px={0} color="fg.muted" textDecoration="underline" onClick={() => setIsLong(!isLong)}>{isLong ? "Fewer" : `All ${formatCount(matching.length)}`}</Button>
      ) : undefined}
    </Box>
  );
}
