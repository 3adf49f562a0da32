/** Where the series belongs (each step leads to Discover narrowed to it), its name, and what can be done with it. */
import { Button, chakra, Flex, Heading, HStack } from "@chakra-ui/react";
import { Link } from "react-router-dom";

import { apiUrl } from "../../../api/client.ts";
import type { SeriesSummary } from "../../../api/types.ts";
import { CopyLink } from "../../../components/CopyLink.tsx";
import { HealthBadge } from "../../../components/HealthBadge.tsx";

type Props = { readonly series: SeriesSummary; readonly absoluteSearch: () => URLSearchParams };

/** How the API spells a group whose column is null. */
const NULL_VALUE = "(null)";

type Crumb = { readonly text: string; readonly search: URLSearchParams };

function crumbsOf(series: SeriesSummary): Crumb[] {
  const steps: [string, string, string][] = [
    ["project", series.project, series.project],
    ["metric_set", series.metric_set, series.metric_set],
    ["column", series.column_name, series.column_name],
    ["metric", series.metric, series.metric],
    ...series.group_key.map(({ column, value }): [string, string, string] => [`group.${column}`, value ?? NULL_VALUE, `${column}=${value ?? NULL_VALUE}`]),
  ];
  const search = new URLSearchParams();
  return steps.filter(([, value]) => value !== "").map(([name, value, text]) => {
    search.append(name, value);
    return { text, search: new URLSearchParams(search) };
  });
}

export function SeriesHeader({ series, absoluteSearch }: Props) {
  return (
    <Flex justify="space-between" align="start" gap={3} wrap="wrap">
      <chakra.div minW={0}>
        <chakra.nav aria-label="Breadcrumb" fontSize="sm" mb={1}>
          <chakra.ol display="flex" flexWrap="wrap" gap={1.5} listStyleType="none" m={0} p={0} color="fg.muted">
            <li><Link to="/plugin/lupus/discover">Discover</Link></li>
            {crumbsOf(series).map(({ text, search }) => (
              <li key={text}>
                <chakra.span aria-hidden="true" mr={1.5}>›</chakra.span>
                <chakra.span color="fg" _hover={{ textDecoration: "underline" }}><Link to={`/plugin/lupus/discover?${search}`}>{text}</Link></chakra.span>
              </li>
            ))}
          </chakra.ol>
        </chakra.nav>
        <HStack gap={3} wrap="wrap">
          <Heading as="h1" size="xl" overflowWrap="anywhere">{series.name}</Heading>
          <HealthBadge series={series} />
        </HStack>
      </chakra.div>
      <HStack gap={2}>
        <Button asChild size="sm" variant="outline"><a href={apiUrl(`/series/${series.series_id}/data.csv`)} download>CSV</a></Button>
        <CopyLink search={absoluteSearch} />
      </HStack>
    </Flex>
  );
}
