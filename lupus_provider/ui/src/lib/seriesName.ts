/** The name of a series in parts, and which of them tell the series of a list apart. */
import type { SeriesSummary } from "../api/types.ts";

export type NamePart = { readonly key: string; readonly text: string };

/** `flights`, `departures`, `dep_delay`, `null_ratio`, `origin=EWR` with the keys that they differ by. */
export function nameParts(series: SeriesSummary): NamePart[] {
  const parts = [
    { key: "project", text: series.project },
    { key: "metric_set", text: series.metric_set },
    { key: "column", text: series.column_name },
    { key: "metric", text: series.metric },
    { key: "entity", text: series.entity ?? "" },
    ...series.group_key.map(({ column, value }) => ({ key: `group.${column}`, text: `${column}=${value ?? "(null)"}` })),
  ];
  return parts.filter(({ text }) => text !== "");
}

/** Keys whose text is not the same in all series: what a card's title must show. */
export function distinguishingKeys(list: readonly SeriesSummary[]): Set<string> {
  const seen = new Map<string, Set<string>>();
  for (const series of list) {
    for (const { key, text } of nameParts(series)) seen.set(key, (seen.get(key) ?? new Set()).add(text));
  }
  const everywhere = (key: string) => list.every((series) => nameParts(series).some((part) => part.key === key));
  return new Set([...seen].filter(([key, texts]) => texts.size > 1 || !everywhere(key)).map(([key]) => key));
}

/** Path of the series' page inside Airflow; the slug is for people, the router ignores it. */
export function seriesPath(series: SeriesSummary): string {
  const slug = nameParts(series).slice(2).map(({ text }) => text).join("-").toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `/plugin/lupus/series/${series.series_id}-${slug.replace(/^-|-$/g, "")}`;
}

/** Id in the last part of such a path. */
export function seriesIdOf(rest: string): string {
  return rest.split(/[-/]/)[0] ?? "";
}
