/** The wall as a table: the same series, for reading and for screen readers. */
import { Box, chakra, Table } from "@chakra-ui/react";
import { Link } from "react-router-dom";

import type { SeriesSummary } from "../../../api/types.ts";
import { formatCount, formatValue } from "../../../lib/numbers.ts";
import { formatPeriod } from "../../../lib/periods.ts";
import { seriesPath } from "../../../lib/seriesName.ts";

const HEAD = ["Series", "Project", "Metric set", "Newest period", "Value", "Expected", "Anomalies", "Last anomaly", "Stale"];

function Row({ series }: { readonly series: SeriesSummary }) {
  const { period, timezone, unit, last_anomaly } = series;
  return (
    <Table.Row>
      <Table.Cell><chakra.span color="blue.fg" _hover={{ textDecoration: "underline" }}><Link to={seriesPath(series)}>{series.name}</Link></chakra.span></Table.Cell>
      <Table.Cell>{series.project}</Table.Cell>
      <Table.Cell>{series.metric_set}</Table.Cell>
      <Table.Cell>{formatPeriod(series.last_period, period, timezone)}</Table.Cell>
      <Table.Cell textAlign="end">{formatValue(series.last_value, unit)}</Table.Cell>
      <Table.Cell textAlign="end">{formatValue(series.last_expected, unit)}</Table.Cell>
      <Table.Cell textAlign="end">{formatCount(series.n_anomalies)}</Table.Cell>
      <Table.Cell>{last_anomaly === null ? "–" : formatPeriod(last_anomaly, period, timezone)}</Table.Cell>
      <Table.Cell>{series.is_stale ? "stale" : "–"}</Table.Cell>
    </Table.Row>
  );
}

export function WallTable({ series }: { readonly series: readonly SeriesSummary[] }) {
  return (
    <Box overflowX="auto" borderWidth="1px" borderColor="border" rounded="lg">
      <Table.Root size="sm" aria-label="Series that match the filters" fontVariantNumeric="tabular-nums">
        <Table.Header>
          <Table.Row>{HEAD.map((title) => <Table.ColumnHeader key={title} scope="col">{title}</Table.ColumnHeader>)}</Table.Row>
        </Table.Header>
        <Table.Body>{series.map((one) => <Row key={one.series_id} series={one} />)}</Table.Body>
      </Table.Root>
    </Box>
  );
}
