/** The chosen anomaly: what happened in a sentence, then every number of it. */
import { Button, HStack, Stack, Text } from "@chakra-ui/react";

import type { AnomalyPoint, SeriesSummary } from "../../../api/types.ts";
import { Facts } from "../../../components/Facts.tsx";
import { Panel } from "../../../components/Panel.tsx";
import { formatBand, neighbour, sentenceOf } from "../../../lib/anomalies.ts";
import { formatScore, formatValue } from "../../../lib/numbers.ts";
import { formatPeriodLong, formatUtc } from "../../../lib/periods.ts";

type Props = {
  readonly series: SeriesSummary;
  readonly anomaly: AnomalyPoint;
  readonly flagged: readonly number[];
  readonly onOpen: (t: number | undefined) => void;
};

export function AnomalyPanel({ series, anomaly, flagged, onOpen }: Props) {
  const { unit, period, timezone } = series;
  const before = neighbour(flagged, anomaly.t, -1);
  const after = neighbour(flagged, anomaly.t, 1);
  const actions = (
    <HStack gap={1}>
      <Button size="2xs" variant="ghost" aria-label="Previous anomaly" disabled={before === undefined} onClick={() => onOpen(before)}>‹</Button>
      <Button size="2xs" variant="ghost" aria-label="Next anomaly" disabled={after === undefined} onClick={() => onOpen(after)}>›</Button>
      <Button size="2xs" variant="ghost" aria-label="Close" onClick={() => onOpen(undefined)}>✕</Button>
    </HStack>
  );
  return (
    <Panel title={`Anomaly of ${formatPeriodLong(anomaly.t, period, timezone)}`} actions={actions} isLoud>
      <Stack gap={3} data-testid="anomaly-panel" aria-live="polite">
        <Text>{sentenceOf(anomaly, unit)}</Text>
        <Facts
          items={[
            ["Value", formatValue(anomaly.value, unit)],
            ["Expected", formatValue(anomaly.expected, unit)],
            ["Band", formatBand(anomaly, unit) ?? "–"],
            ["Score", <span key="score" title="Probability of a value this strange if nothing is wrong">{formatScore(anomaly.score)}</span>],
            ["Severity", anomaly.severity],
            ["Kind", anomaly.direction === "none" ? anomaly.kind : `${anomaly.kind}, ${anomaly.direction}`],
            ["Detector", anomaly.detector],
            ["Period", `${formatPeriodLong(anomaly.t, period, timezone)} (${timezone})`],
            ["Starts", formatUtc(anomaly.t)],
          ]}
        />
      </Stack>
    </Panel>
  );
}
