/** Which search parameters of Discover narrow the wall, and what is asked of the server for them. */
import { windowOf, without } from "../../lib/urlState.ts";

const FACETS = new Set(["project", "metric_set", "column", "metric", "group_by"]);

export const SORTS = [
  { value: "attention", label: "Needs attention" },
  { value: "recent", label: "Newest anomaly" },
  { value: "change", label: "Largest change" },
  { value: "name", label: "Name" },
] as const;

export const DEFAULT_SORT = SORTS[0].value;

export function isFacet(name: string): boolean {
  return FACETS.has(name) || name.startsWith("group.");
}

export function isFilter(name: string): boolean {
  return isFacet(name) || ["q", "only", "start", "end"].includes(name);
}

/** Query of /catalog/search: the filters of the URL in one order, so that equal pages share a cache entry; times in epoch seconds. */
export function catalogFilters(params: URLSearchParams): string {
  const query = new URLSearchParams([...params].filter(([name]) => isFacet(name) || name === "only" || name === "q"));
  const window = windowOf(params);
  if (window) {
    query.set("start", String(window.start));
    query.set("end", String(window.end));
  }
  query.set("sort", params.get("sort") ?? DEFAULT_SORT);
  query.sort();
  return query.toString();
}

export function hasFilters(params: URLSearchParams): boolean {
  return [...params.keys()].some(isFilter);
}

export function withoutFilters(params: URLSearchParams): URLSearchParams {
  return without(params, isFilter);
}

/** A value in words: a metric of the whole table has no column. */
export function valueLabel(name: string, value: string): string {
  return value || (name === "column" ? "(whole table)" : "∅");
}

export function facetLabel(name: string): string {
  const text = name.replace(/^group\./, "").replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
