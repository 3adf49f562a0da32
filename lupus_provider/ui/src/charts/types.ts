/** What a chart shows and tells; data only, so that another library could draw it. */
import type { AnomalyPoint } from "../api/types.ts";
import type { ChartColumns } from "../lib/gaps.ts";

export type Range = { readonly start: number; readonly end: number };

export type TimeChartProps = {
  readonly columns: ChartColumns;
  /** Flagged points, one a period, oldest first. */
  readonly marks: readonly AnomalyPoint[];
  readonly unit: string;
  readonly zone: string;
  readonly height: number;
  /** Span of the x axis where it is not that of the points. */
  readonly range?: Range | undefined;
  /** Span that is shaded. */
  readonly window?: Range | undefined;
  /** Period with a ring around its mark. */
  readonly selected?: number | undefined;
  /** Period that the crosshair is put on from outside (keyboard). */
  readonly cursorAt?: number | undefined;
  /** Charts with the same key share their crosshair. */
  readonly syncKey?: string | undefined;
  readonly isThumb?: boolean;
  readonly onCursor?: ((t: number | undefined) => void) | undefined;
  /** A click: the period of the mark that it hit, or undefined. */
  readonly onPick?: ((t: number | undefined) => void) | undefined;
  readonly onRange?: ((range: Range) => void) | undefined;
  readonly onReset?: (() => void) | undefined;
};
