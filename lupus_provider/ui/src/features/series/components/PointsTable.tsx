/** The points as a table, fifty at a time, newest first. */
import { Box, Button, HStack, Table, Text } from "@chakra-ui/react";
import { useState } from "react";

import type { SeriesPoints, SeriesSummary } from "../../../api/types.ts";
import { formatCount, formatValue } from "../../../lib/numbers.ts";
import { formatPeriodLong } from "../../../lib/periods.ts";

type Props = { readonly series: SeriesSummary; readonly points: SeriesPoints; readonly flagged: ReadonlySet<number> };

const SIZE = 50;
const HEAD = ["Period", "Value", "Expected", "Lower", "Upper", "Rows", "Note"];

export function PointsTable({ series, points, flagged }: Props) {
  const [page, setPage] = useState(0);
  const { unit, period, timezone } = series;
  const order = points.t.map((_, i) => i).reverse();
  const pages = Math.max(1, Math.ceil(order.length / SIZE));
  const note = (i: number, t: number) => points.error?.[i] ?? (flagged.has(t) ? "● anomaly" : "");
  return (
    <Box>
      <Box overflowX="auto" borderWidth="1px" borderColor="border" rounded="lg">
        <Table.Root size="sm" aria-label={`Points of ${series.name}`} fontVariantNumeric="tabular-nums">
          <Table.Header><Table.Row>{HEAD.map((title) => <Table.ColumnHeader key={title} scope="col">{title}</Table.ColumnHeader>)}</Table.Row></Table.Header>
          <Table.Body>
            {order.slice(page * SIZE, (page + 1) * SIZE).map((i) => {
              const t = points.t[i] ?? 0;
              const rows = points.n_rows?.[i];
              return (
                <Table.Row key={t}>
                  <Table.Cell>{formatPeriodLong(t, period, timezone)}</Table.Cell>
                  <Table.Cell>{formatValue(points.value[i], unit)}</Table.Cell>
                  <Table.Cell>{formatValue(points.expected?.[i], unit)}</Table.Cell>
                  <Table.Cell>{formatValue(points.lower?.[i], unit)}</Table.Cell>
                  <Table.Cell>{formatValue(points.upper?.[i], unit)}</Table.Cell>
                  <Table.Cell>{rows == null ? "–" : formatCount(rows)}</Table.Cell>
                  <Table.Cell color={flagged.has(t) ? "red.fg" : undefined}>{note(i, t)}</Table.Cell>
                </Table.Row>
              );
            })}
          </Table.Body>
        </Table.Root>
      </Box>
      <HStack mt={2} gap={2}>
        <Button size="xs" variant="outline" disabled={page === 0} onClick={() => setPage(page - 1)}>Newer</Button>
        <Button size="xs" variant="outline" disabled={page >= pages - 1} onClick={() => setPage(page + 1)}>Older</Button>
        <Text fontSize="xs" color="fg.muted">Page {page + 1} of {pages}</Text>
      </HStack>
    </Box>
  );
}
