/**
 * The state of a page is its search parameters; these functions change them without touching any others.
 *
 * Unknown parameters stay, defaults are left out, and a function returns new parameters rather than changing the old ones.
 */

export function getAll(params: URLSearchParams, name: string): string[] {
  return params.getAll(name);
}

/** Set one value, or remove the parameter where the value is undefined or empty. */
export function withValue(params: URLSearchParams, name: string, value: string | undefined): URLSearchParams {
  const next = new URLSearchParams(params);
  if (value) next.set(name, value);
  else next.delete(name);
  return next;
}

export function withValues(params: URLSearchParams, values: Readonly<Record<string, string | undefined>>): URLSearchParams {
  return Object.entries(values).reduce((next, [name, value]) => withValue(next, name, value), params);
}

/** Add a value to a repeatable parameter, or take it away if it is there. */
export function withToggled(params: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams();
  for (const [key, present] of params) if (key !== name || present !== value) next.append(key, present);
  if (!params.getAll(name).includes(value)) next.append(name, value);
  return next;
}

export function without(params: URLSearchParams, names: (name: string) => boolean): URLSearchParams {
  return new URLSearchParams([...params].filter(([name]) => !names(name)));
}

/** Seconds since the epoch of an instant in the URL (`2013-02-08T05:00Z`); undefined where it is absent or no instant. */
export function parseInstant(text: string | null): number | undefined {
  if (!text) return undefined;
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

/** `2013-02-08T05:00Z` */
export function formatInstant(t: number): string {
  return `${new Date(t * 1000).toISOString().slice(0, 16)}Z`;
}

/** The window of the URL: both ends in order, or undefined. */
export function windowOf(params: URLSearchParams): { readonly start: number; readonly end: number } | undefined {
  const start = parseInstant(params.get("start"));
  const end = parseInstant(params.get("end"));
  return start !== undefined && end !== undefined && start < end ? { start, end } : undefined;
}
