/** What the series is, whose it is, and what judges it. */
import { Box, Heading, Stack, Text } from "@chakra-ui/react";

import type { DetectorInfo, SeriesDetail } from "../../../api/types.ts";
import { Facts } from "../../../components/Facts.tsx";
import { Panel } from "../../../components/Panel.tsx";
import { formatCount, formatValue } from "../../../lib/numbers.ts";
import { formatPeriod } from "../../../lib/periods.ts";

function Detector({ detector }: { readonly detector: DetectorInfo }) {
  const parameters = Object.entries(detector.parameters).filter(([, value]) => value !== null);
  return (
    <Box borderTopWidth="1px" borderColor="border" pt={2}>
      <Text fontSize="sm" fontWeight="semibold" mb={1}>{detector.name} <Text as="span" fontWeight="normal" color="fg.muted">· {detector.severity}</Text></Text>
      <Facts items={parameters.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const)} />
    </Box>
  );
}

export function FactsPanel({ detail }: { readonly detail: SeriesDetail }) {
  const { summary, unit, schedule, timezone, owner, description, detectors } = detail;
  const period = (t: number) => formatPeriod(t, summary.period, timezone);
  return (
    <Panel title="About this series">
      <Stack gap={3}>
        {description ? <Text fontSize="sm">{description}</Text> : undefined}
        <Facts
          items={[
            ["Newest", `${formatValue(summary.last_value, unit)} on ${period(summary.last_period)}${summary.is_stale ? " (stale)" : ""}`],
            ["Expected", formatValue(summary.last_expected, unit)],
            ["History", `${formatCount(summary.n_points)} points, ${period(summary.first_period)} – ${period(summary.last_period)}`],
            ["Period", summary.period],
            ["Unit", unit],
            ["Schedule", schedule ?? "–"],
            ["Time zone", timezone],
            ["Owner", owner ?? "–"],
          ]}
        />
        <Heading as="h3" size="xs">{detectors.length === 0 ? "No detector judges this series" : "Detectors"}</Heading>
        {detectors.map((detector) => <Detector key={detector.key} detector={detector} />)}
      </Stack>
    </Panel>
  );
}
