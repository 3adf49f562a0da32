/** Which part of the history is shown, and how. */
import { Button, HStack, Text } from "@chakra-ui/react";

import type { SeriesPoints, SeriesSummary } from "../../../api/types.ts";
import type { Range } from "../../../charts/types.ts";
import { formatCount } from "../../../lib/numbers.ts";
import { formatWindow } from "../../../lib/periods.ts";
import { fullRange, PRESETS, presetRange } from "../range.ts";

type Props = {
  readonly series: SeriesSummary;
  readonly points: SeriesPoints | undefined;
  readonly range: Range | undefined;
  readonly isTable: boolean;
  readonly onRange: (range: Range | undefined) => void;
  readonly onTable: () => void;
};

export function RangeBar({ series, points, range, isTable, onRange, onTable }: Props) {
  const shown = range ?? fullRange(series);
  const isSame = (other: Range) => range?.start === other.start && range.end === other.end;
  return (
    <HStack gap={2} wrap="wrap">
      {PRESETS.map(({ label, days }) => {
        const preset = presetRange(series, days);
        return <Button key={label} size="xs" variant={isSame(preset) ? "subtle" : "ghost"} aria-pressed={isSame(preset)} onClick={() => onRange(preset)}>{label}</Button>;
      })}
      <Button size="xs" variant={range ? "ghost" : "subtle"} aria-pressed={!range} onClick={() => onRange(undefined)}>All</Button>
      <Text fontSize="xs" color="fg.muted">
        {formatWindow(shown.start, shown.end, series.timezone)}
        {points ? ` · ${formatCount(points.n_raw)} points${points.method === "raw" ? "" : `, ${formatCount(points.t.length)} drawn`}` : ""}
      </Text>
      <Button size="xs" variant={isTable ? "solid" : "outline"} ml="auto" aria-pressed={isTable} onClick={onTable}>Table</Button>
    </HStack>
  );
}
