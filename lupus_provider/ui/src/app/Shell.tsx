/** The frame of all pages: tabs, skip link, version. Airflow's page has no <main> of its own, so this is it. */
import { Box, chakra, Flex, HStack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router-dom";

import { meQuery } from "../api/queries.ts";
import { paletteCss } from "../charts/palette.ts";
import { ROUTES } from "./routes.tsx";

type Props = { readonly current: string; readonly children: ReactNode };

const skipLink = { position: "absolute", left: "-9999px", _focus: { left: 2, top: 2, zIndex: "skipNav", bg: "bg", px: 3, py: 2, rounded: "md" } } as const;

export function Shell({ current, children }: Props) {
  const { data } = useQuery(meQuery());
  return (
    <Box css={{ ...paletteCss, colorScheme: { base: "light", _dark: "dark" } }} bg="bg.subtle" minH="full" color="fg" position="relative" data-testid="lupus">
      <chakra.a href="#lupus-main" {...skipLink}>Skip to content</chakra.a>
      <Flex as="header" align="center" gap={5} px={5} h="44px" bg="bg" borderBottomWidth="1px" borderColor="border">
        <Text fontWeight="bold" letterSpacing="tight">Lupus</Text>
        <HStack as="nav" aria-label="Lupus" gap={4} fontSize="sm">
          {ROUTES.filter(({ isTab }) => isTab).map(({ path, title }) => (
            <chakra.span key={path} py="11px" borderBottomWidth="2px" borderColor={isCurrent(path, current) ? "blue.solid" : "transparent"} fontWeight={isCurrent(path, current) ? "semibold" : "normal"}>
              <Link to={`/plugin/lupus/${path}`} aria-current={isCurrent(path, current) ? "page" : undefined}>{title}</Link>
            </chakra.span>
          ))}
        </HStack>
        <Text ml="auto" fontSize="xs" color="fg.muted">{data ? `${data.user.name} · Lupus ${data.version}` : ""}</Text>
      </Flex>
      <chakra.main id="lupus-main" tabIndex={-1} outline="none" px={5} py={4}>{children}</chakra.main>
    </Box>
  );
}

/** The bare address shows Discover until it has a page of its own. */
function isCurrent(path: string, current: string): boolean {
  return path === current || (path === "discover" && current === "");
}
