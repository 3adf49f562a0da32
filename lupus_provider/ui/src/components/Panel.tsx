/** A bordered part of a page with a heading. */
import { Box, chakra, Flex, Heading } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { readonly title: string; readonly actions?: ReactNode; readonly children: ReactNode; readonly isLoud?: boolean };

export function Panel({ title, actions, children, isLoud = false }: Props) {
  return (
    <chakra.section aria-label={title} bg="bg" borderWidth="1px" borderColor={isLoud ? "red.emphasized" : "border"} rounded="lg" overflow="hidden">
      <Flex justify="space-between" align="center" gap={2} px={4} pt={3}>
        <Heading as="h2" size="sm">{title}</Heading>
        {actions}
      </Flex>
      <Box px={4} pt={2} pb={4}>{children}</Box>
    </chakra.section>
  );
}
