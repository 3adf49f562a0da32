/** Answers of the API without a server: a made-up year of flights from New York, about two hundred series, always the same. */

const ZONE = "America/New_York";
const STORMS = { "2013-02-08": 0.51, "2013-02-09": 0.57, "2013-05-23": 0.22, "2013-12-10": 0.22, "2013-09-12": 0.19, "2013-03-06": 0.18, "2013-03-08": 0.18, "2013-12-14": 0.18, "2013-12-05": 0.16 };
const ORIGINS = ["EWR", "JFK", "LGA"];
const CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"];
const METRICS = [
  ["", "row_count", "count", 920, 0.06], ["dep_delay", "avg", "column", 12, 0.5], ["dep_delay", "p50", "column", -1, 0.5], ["dep_delay", "p95", "column", 60, 0.4],
  ["dep_delay", "null_ratio", "ratio", 0.018, 0.6], ["arr_delay", "avg", "column", 7, 0.8], ["arr_delay", "p95", "column", 65, 0.4], ["carrier", "unique", "count", 14, 0.03],
  ["dest", "unique", "count", 90, 0.02], ["air_time", "avg", "column", 150, 0.02],
];
const WEATHER = [["visib", "min", "column", 8, 0.2], ["precip", "sum", "column", 0.2, 1.2], ["wind_speed", "p95", "column", 18, 0.3]];
const DETECTOR = "seasonal:1f0c2a9b";

function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Midnights of New York in 2013: summer time from 10 March to 2 November. */
const MIDNIGHTS = Array.from({ length: 365 }, (_, i) => {
  const utc = Date.UTC(2013, 0, 1 + i) / 1000;
  const isSummer = utc > Date.UTC(2013, 2, 10) / 1000 && utc <= Date.UTC(2013, 10, 3) / 1000;
  return utc + (isSummer ? 4 : 5) * 3600;
});
const dateOf = (i) => new Date(Date.UTC(2013, 0, 1 + i)).toISOString().slice(0, 10);

function idOf(text) {
  let hash = 2166136261;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  const next = random(hash);
  return Array.from({ length: 13 }, () => "abcdefghijklmnopqrstuvwxyz234567"[Math.floor(next() * 32)]).join("");
}

function round(value) {
  return Number(value.toPrecision(6));
}

function pointsOf(spec, seed) {
  const [column, metric, unit, base, noise] = spec;
  const next = random(seed);
  const size = 0.5 + next();
  const isDelay = column.endsWith("delay") || column === "precip";
  const made = { t: [], value: [], expected: [], lower: [], upper: [], n_rows: [], anomalies: [] };
  MIDNIGHTS.forEach((t, i) => {
    const weekday = (i + 2) % 7;
    const expected = base * size * (1 + (weekday === 6 ? -0.18 : weekday === 0 ? -0.08 : 0.03)) * (1 + 0.1 * Math.sin((i / 365) * 2 * Math.PI));
    const spread = Math.abs(expected) * noise * 1.6 + (metric === "p50" ? 3 : 0.001);
    const storm = STORMS[dateOf(i)] ?? 0;
    let value = expected + spread * 0.45 * (next() + next() + next() - 1.5);
    if (storm && metric === "null_ratio") value = storm * (0.85 + 0.3 * next());
    else if (storm && isDelay) value = expected + spread * (1.2 + storm * 6 * next());
    else if (storm && metric === "row_count" && storm > 0.5) value = expected * 0.97;
    if (i === 200 && seed % 17 === 0) return;
    if (unit === "ratio") value = Math.min(1, Math.max(0, value));
    if (unit === "count") value = Math.round(value);
    const isJudged = i >= 21;
    const lower = unit === "ratio" ? Math.max(0, expected - spread) : expected - spread;
    const upper = expected + spread;
    made.t.push(t);
    made.value.push(round(value));
    made.n_rows.push(Math.round(920 * size));
    made.expected.push(isJudged ? round(expected) : null);
    made.lower.push(isJudged ? round(lower) : null);
    made.upper.push(isJudged ? round(upper) : null);
    if (isJudged && (value > upper || value < lower)) {
      const excess = Math.abs(value - expected) / spread;
      made.anomalies.push({
        series_id: "", t, detector: DETECTOR, kind: value > upper ? "spike" : "dip", severity: excess > 3 ? "critical" : excess > 1.6 ? "high" : "medium", direction: value > upper ? "up" : "down",
        value: round(value), expected: round(expected), lower: round(lower), upper: round(upper), score: Number(Math.max(1e-300, Math.exp(-4 * excess * excess - 2)).toPrecision(2)),
      });
    }
  });
  return made;
}

function build() {
  const all = [];
  const groups = [[], ...ORIGINS.map((value) => [{ column: "origin", value }]), ...CARRIERS.map((value) => [{ column: "carrier", value }])];
  const add = (metricSet, spec, group) => {
    const [column, metric, unit] = spec;
    const name = `${column ? `${column} ` : ""}${metric}${group.length ? ` [${group.map((one) => `${one.column}=${one.value}`).join(", ")}]` : ""}`;
    const id = idOf(metricSet + name);
    const points = pointsOf(spec, [...id].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) >>> 0);
    for (const anomaly of points.anomalies) anomaly.series_id = id;
    all.push({ id, points, base: { series_id: id, project: "flights", metric_set: metricSet, column_name: column, metric, entity: null, group_key: group, name, unit, timezone: ZONE, period: "day" } });
  };
  for (const spec of METRICS) for (const group of groups) if (!(spec[0] === "carrier" && group[0]?.column === "carrier")) add("departures", spec, group);
  for (const spec of WEATHER) for (const value of ORIGINS) add("weather", spec, [{ column: "origin", value }]);
  return all;
}

const ALL = build();

function summary({ base, points }, start, end) {
  const inside = points.anomalies.filter(({ t }) => (start === undefined || t >= start) && (end === undefined || t < end));
  const worst = Math.min(1, ...inside.map(({ score }) => score));
  return {
    ...base, first_period: points.t[0], last_period: points.t.at(-1), last_value: points.value.at(-1), last_expected: points.expected.at(-1), n_points: points.t.length,
    n_anomalies: inside.length, last_anomaly: inside.at(-1)?.t ?? null, worst_score: inside.length ? worst : null,
    attention: inside.length ? -Math.log10(worst) : 0, is_stale: base.group_key[0]?.value === "OO",
  };
}

const FACETS = {
  project: ({ base }) => base.project, metric_set: ({ base }) => base.metric_set, column: ({ base }) => base.column_name, metric: ({ base }) => base.metric,
  "group.carrier": ({ base }) => base.group_key.find(({ column }) => column === "carrier")?.value,
  "group.origin": ({ base }) => base.group_key.find(({ column }) => column === "origin")?.value,
};

function matches(one, params, except) {
  const q = (params.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  if (!q.every((word) => `${one.base.metric_set} ${one.base.name}`.toLowerCase().includes(word))) return false;
  return Object.entries(FACETS).every(([name, of]) => name === except || !params.has(name) || params.getAll(name).includes(of(one)));
}

const SORT = {
  attention: (a, b) => b.attention - a.attention || a.name.localeCompare(b.name),
  recent: (a, b) => (b.last_anomaly ?? 0) - (a.last_anomaly ?? 0),
  change: (a, b) => b.attention - a.attention,
  name: (a, b) => a.name.localeCompare(b.name),
};

const number = (params, name) => (params.has(name) ? Number(params.get(name)) : undefined);

function facet(name, of, params) {
  const counts = new Map();
  for (const one of ALL) if (matches(one, params, name) && of(one) !== undefined) counts.set(of(one), (counts.get(of(one)) ?? 0) + 1);
  return { name, values: [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || a.value.localeCompare(b.value)) };
}

export function catalog(params) {
  const matched = ALL.filter((one) => matches(one, params));
  const summaries = matched.map((one) => summary(one, number(params, "start"), number(params, "end")));
  const tests = { anomalous: (one) => one.n_anomalies > 0, stale: (one) => one.is_stale };
  const only = params.getAll("only");
  const kept = summaries.filter((one) => only.length === 0 || only.some((name) => tests[name](one))).sort(SORT[params.get("sort") ?? "attention"]);
  const days = new Map();
  for (const { points } of matched) for (const { t } of points.anomalies) days.set(t, (days.get(t) ?? 0) + 1);
  const offset = Number(params.get("cursor") ?? 0);
  const limit = Number(params.get("limit") ?? 24);
  return {
    items: kept.slice(offset, offset + limit), total: kept.length, total_all: ALL.length,
    counts: { anomalous: summaries.filter(tests.anomalous).length, stale: summaries.filter(tests.stale).length },
    facets: Object.entries(FACETS).map(([name, of]) => facet(name, of, params)),
    days: [...days].map(([t, n_anomalies]) => ({ t, n_anomalies })).sort((a, b) => a.t - b.t),
    first_period: matched.length ? MIDNIGHTS[0] : null, last_period: matched.length ? MIDNIGHTS.at(-1) : null,
    next_cursor: offset + limit < kept.length ? String(offset + limit) : null,
  };
}

export function batch({ ids, start, end, band }) {
  const items = ids.flatMap((id) => {
    const one = ALL.find((other) => other.id === id);
    if (!one) return [];
    const { points } = one;
    const inside = (t) => (start == null || t >= start) && (end == null || t < end);
    const cut = (column) => column.filter((_, i) => inside(points.t[i]));
    const bands = band ? { detector: DETECTOR, expected: cut(points.expected), lower: cut(points.lower), upper: cut(points.upper), n_rows: cut(points.n_rows) } : { detector: null, expected: null, lower: null, upper: null, n_rows: null };
    return [{ series_id: id, t: cut(points.t), value: cut(points.value), error: null, ...bands, anomalies: points.anomalies.filter(({ t }) => inside(t)), n_raw: cut(points.t).length, method: "raw" }];
  });
  return { items };
}

export function detail(id) {
  const one = ALL.find((other) => other.id === id);
  if (!one) return undefined;
  const related = ALL.filter(({ id: other, base }) => other !== id && base.metric_set === one.base.metric_set && base.column_name === one.base.column_name && base.metric === one.base.metric);
  return {
    summary: summary(one), unit: one.base.unit, description: "Share of flights without a departure delay: cancelled flights.", schedule: "0 6 * * *", timezone: ZONE, owner: "flight-delay",
    detectors: [{ key: DETECTOR, name: "seasonal", parameters: { season_length: 7, window: 8, scale: "robust", sensitivity: 0.001, min_points: 21 }, severity: "high" }],
    related: related.map((other) => summary(other)).sort(SORT.attention).slice(0, 24),
  };
}
