/** All flagged periods of the shown range, newest first; a row opens its details. */
import { Box, Button, Table, Text } from "@chakra-ui/react";

import type { AnomalyPoint, SeriesSummary } from "../../../api/types.ts";
import { formatBand } from "../../../lib/anomalies.ts";
import { formatScore, formatValue } from "../../../lib/numbers.ts";
import { formatPeriodLong } from "../../../lib/periods.ts";

type Props = {
  readonly series: SeriesSummary;
  readonly marks: readonly AnomalyPoint[];
  readonly selected: number | undefined;
  readonly onOpen: (t: number) => void;
};

const HEAD = ["Period", "Value", "Expected", "Band", "Score", "Severity", "Detector"];

export function AnomaliesTable({ series, marks, selected, onOpen }: Props) {
  const { unit, period, timezone } = series;
  if (marks.length === 0) return <Text fontSize="sm" color="fg.muted">No anomaly in this range.</Text>;
  return (
    <Box overflow="auto" maxH="24rem" mx={-2}>
      <Table.Root size="sm" aria-label={`Anomalies of ${series.name}`} interactive fontVariantNumeric="tabular-nums">
        <Table.Header><Table.Row>{HEAD.map((title) => <Table.ColumnHeader key={title} scope="col">{title}</Table.ColumnHeader>)}</Table.Row></Table.Header>
        <Table.Body>
          {[...marks].reverse().map((mark) => (
            <Table.Row key={mark.t} bg={mark.t === selected ? "bg.emphasized" : undefined} cursor="pointer" onClick={() => onOpen(mark.t)}>
              <Table.Cell>
                <Button size="xs" variant="plain" px={0} h="auto" color="red.fg" aria-pressed={mark.t === selected} onClick={() => onOpen(mark.t)}>
                  ● {formatPeriodLong(mark.t, period, timezone)}
                </Button>
              </Table.Cell>
              <Table.Cell fontWeight="semibold">{formatValue(mark.value, unit)}</Table.Cell>
              <Table.Cell>{formatValue(mark.expected, unit)}</Table.Cell>
              <Table.Cell>{formatBand(mark, unit) ?? "–"}</Table.Cell>
              <Table.Cell>{formatScore(mark.score)}</Table.Cell>
              <Table.Cell>{mark.severity}</Table.Cell>
              <Table.Cell color="fg.muted">{mark.detector.split(":")[0]}</Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table.Root>
    </Box>
  );
}
