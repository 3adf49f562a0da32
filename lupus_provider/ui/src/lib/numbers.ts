/** Values as people read them, in the language of the Airflow page and with their unit. */

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const cache = new Map<string, Intl.NumberFormat>();

function format(value: number, options: Intl.NumberFormatOptions): string {
  const lang = document.documentElement.lang || "en";
  const key = lang + JSON.stringify(options);
  let formatter = cache.get(key);
  if (!formatter) {
    formatter = new Intl.NumberFormat(lang, options);
    cache.set(key, formatter);
  }
  return formatter.format(value);
}

/** A value with its unit: ratios in percent, counts whole, all others to four significant digits. `–` where there is none. */
export function formatValue(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return "–";
  if (unit === "ratio") return format(value, { style: "percent", maximumFractionDigits: Math.abs(value) < 0.1 ? 2 : 1 });
  if (unit === "count" && Number.isInteger(value)) return format(value, {});
  const text = format(value, Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 });
  return unit === "seconds" ? `${text} s` : text;
}

/** A tick of an axis whose neighbours are `step` apart. */
export function formatTick(value: number, step: number, unit: string): string {
  const digits = Math.max(0, -Math.floor(Math.log10(step * (unit === "ratio" ? 100 : 1)) + 1e-9));
  if (unit === "ratio") return format(value, { style: "percent", maximumFractionDigits: digits });
  return format(value, Math.abs(value) >= 10_000 ? { notation: "compact", maximumFractionDigits: 1 } : { maximumFractionDigits: digits });
}

export function formatCount(count: number): string {
  return format(count, {});
}

/** `12 anomalies`, `1 anomaly` */
export function countOf(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A probability: `0.004`, or `3.1 × 10⁻⁷` where it is small. */
export function formatScore(score: number | null): string {
  if (score === null) return "–";
  if (score >= 0.001) return format(score, { maximumSignificantDigits: 2 });
  if (score <= 0) return "< 10⁻³⁰⁰";
  const [mantissa = "", exponent = "0"] = score.toExponential(1).split("e-");
  return `${mantissa} × 10⁻${[...exponent].map((digit) => SUPERSCRIPT[Number(digit)]).join("")}`;
}
