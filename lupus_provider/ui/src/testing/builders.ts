/** Bodies of the API with defaults, for tests. */
import type { AnomalyPoint, CatalogPage, SeriesDetail, SeriesPoints, SeriesSummary } from "../api/types.ts";

/** Midnight of 2013-02-09 in New York. */
export const NEMO = 1_360_386_000;
export const ZONE = "America/New_York";
const DAY = 86_400;

export function summary(changes: Partial<SeriesSummary> = {}): SeriesSummary {
  return {
    series_id: "aaaaaaaaaaaaa", project: "flights", metric_set: "departures", column_name: "dep_delay", metric: "null_ratio", entity: null,
    group_key: [{ column: "origin", value: "EWR" }], name: "dep_delay null_ratio [origin=EWR]", unit: "ratio", timezone: ZONE, period: "day",
    first_period: NEMO - 2 * DAY, last_period: NEMO + DAY, last_value: 0.02, last_expected: 0.01, n_points: 4, n_anomalies: 1, last_anomaly: NEMO,
    worst_score: 1e-9, attention: 9, is_stale: false, ...changes,
  };
}

export function anomaly(changes: Partial<AnomalyPoint> = {}): AnomalyPoint {
  return {
    series_id: "aaaaaaaaaaaaa", t: NEMO, detector: "seasonal:1f0c2a9b", kind: "spike", severity: "high", direction: "up",
    value: 0.57, expected: 0.01, lower: 0, upper: 0.05, score: 1e-9, ...changes,
  };
}

export function points(changes: Partial<SeriesPoints> = {}): SeriesPoints {
  return {
    series_id: "aaaaaaaaaaaaa", t: [NEMO - 2 * DAY, NEMO - DAY, NEMO, NEMO + DAY], value: [0.01, 0.51, 0.57, 0.02], n_rows: [900, 900, 900, 900], error: null,
    detector: "seasonal:1f0c2a9b", expected: [0.01, 0.01, 0.01, 0.01], lower: [0, 0, 0, 0], upper: [0.05, 0.05, 0.05, 0.05], anomalies: [anomaly()],
    n_raw: 4, method: "raw", ...changes,
  };
}

export function catalogPage(changes: Partial<CatalogPage> = {}): CatalogPage {
  return {
    items: [summary()], total: 1, total_all: 193, counts: { anomalous: 1, stale: 0 },
    facets: [{ name: "group.origin", values: [{ value: "EWR", count: 10 }, { value: "JFK", count: 9 }] }],
    days: [{ t: NEMO, n_anomalies: 3 }], first_period: NEMO - 30 * DAY, last_period: NEMO + 30 * DAY, next_cursor: null, ...changes,
  };
}

export function seriesDetail(changes: Partial<SeriesDetail> = {}): SeriesDetail {
  return {
    summary: summary(), unit: "ratio", description: "Share of rows without a value.", schedule: "0 6 * * *", timezone: ZONE, owner: "flight-delay",
    detectors: [{ key: "seasonal:1f0c2a9b", name: "seasonal", parameters: { season_length: 7 }, severity: "high" }], related: [], ...changes,
  };
}
