/** Keys of the focused chart: arrows go over points, PgUp and PgDn over anomalies, Enter opens one, Esc closes it. */
import { type KeyboardEvent, useState } from "react";

import { neighbour } from "../../lib/anomalies.ts";

type Keys = {
  readonly t: readonly number[];
  readonly flagged: readonly number[];
  readonly onOpen: (t: number | undefined) => void;
};

/** Period that a key leads to, or undefined if the key is not one of the chart's. */
export function targetOf(key: string, at: number | undefined, t: readonly number[], flagged: readonly number[]): number | undefined {
  switch (key) {
    case "ArrowRight": return neighbour(t, at, 1) ?? at;
    case "ArrowLeft": return neighbour(t, at, -1) ?? at;
    case "Home": return t[0];
    case "End": return t.at(-1);
    case "PageDown": return neighbour(flagged, at, 1) ?? at;
    case "PageUp": return neighbour(flagged, at, -1) ?? at;
    default: return undefined;
  }
}

export function useChartKeys({ t, flagged, onOpen }: Keys) {
  const [at, setAt] = useState<number>();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = targetOf(event.key, at, t, flagged);
    if (target !== undefined) setAt(target);
    else if (event.key === "Enter" && at !== undefined && flagged.includes(at)) onOpen(at);
    else if (event.key === "Escape") onOpen(undefined);
    else return;
    event.preventDefault();
  };
  return { at, onKeyDown };
}
