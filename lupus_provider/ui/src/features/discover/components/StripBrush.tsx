/** The pointer's side of the overview strip: hover tells a day, click and drag choose days. */
import { Box } from "@chakra-ui/react";
import { type PointerEvent, type ReactNode, useState } from "react";

import type { Day } from "../../../api/types.ts";
import type { Range } from "../../../charts/types.ts";
import { countOf } from "../../../lib/numbers.ts";
import { isoDate } from "../../../lib/periods.ts";
import { startOfDay } from "../../../lib/zone.ts";
import { windowOfDrag } from "../strip.ts";

type Props = {
  readonly days: readonly Day[];
  readonly range: Range;
  readonly window: Range | undefined;
  readonly zone: string;
  readonly height: string;
  readonly onWindow: (window: Range) => void;
  readonly children: ReactNode;
};

export function StripBrush({ days, range, window, zone, height, onWindow, children }: Props) {
  const [from, setFrom] = useState<number>();
  const [at, setAt] = useState<number>();
  const timeOf = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const share = Math.min(0.9999, Math.max(0, (event.clientX - left) / width));
    return range.start + share * (range.end - range.start);
  };
  const shown = from !== undefined && at !== undefined ? windowOfDrag(zone, from, at) : window;
  const percent = (t: number) => Math.min(100, Math.max(0, ((t - range.start) / (range.end - range.start)) * 100));
  const hovered = at === undefined ? undefined : startOfDay(zone, at);
  const count = days.find(({ t }) => t === hovered)?.n_anomalies ?? 0;

  const end = (event: PointerEvent<HTMLElement>) => {
    if (from !== undefined) onWindow(windowOfDrag(zone, from, timeOf(event)));
    setFrom(undefined);
  };

  return (
    <Box
      position="relative" h={height} cursor="crosshair" borderBottomWidth="1px" borderColor="border" css={{ touchAction: "pan-y", userSelect: "none" }} data-testid="strip"
      title={hovered === undefined ? "" : `${isoDate(hovered, zone)}: ${countOf(count, "anomaly", "anomalies")}`}
      onPointerDown={(event) => (event.currentTarget.setPointerCapture(event.pointerId), setFrom(timeOf(event)), setAt(timeOf(event)))}
      onPointerMove={(event) => setAt(timeOf(event))}
      onPointerUp={end}
      onPointerCancel={() => setFrom(undefined)}
      onPointerLeave={() => setAt(undefined)}
    >
      {shown ? (
        <Box position="absolute" top={0} bottom={0} minW="3px" opacity={0.45} css={{ background: "var(--lupus-window)" }} style={{ left: `${percent(shown.start)}%`, width: `${percent(shown.end) - percent(shown.start)}%` }} />
      ) : undefined}
      <Box position="absolute" inset={0}>{children}</Box>
    </Box>
  );
}
