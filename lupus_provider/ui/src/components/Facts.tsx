/** A list of facts: what on the left, its value on the right. */
import { chakra } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { readonly items: readonly (readonly [string, ReactNode])[] };

export function Facts({ items }: Props) {
  return (
    <chakra.dl display="grid" gridTemplateColumns="minmax(5.5rem, auto) 1fr" columnGap={3} rowGap={1} fontSize="sm" m={0}>
      {items.map(([what, value]) => (
        <chakra.div key={what} display="contents">
          <chakra.dt color="fg.muted">{what}</chakra.dt>
          <chakra.dd m={0} fontVariantNumeric="tabular-nums" overflowWrap="anywhere">{value}</chakra.dd>
        </chakra.div>
      ))}
    </chakra.dl>
  );
}
