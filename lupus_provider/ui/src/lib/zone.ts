/** Civil time of an IANA zone, from Intl alone. Times are epoch seconds. */

const DAY = 86_400;
const formatters = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat("en-US", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

/** Seconds that clocks of the zone are ahead of UTC at `t`. Kept per quarter of an hour: offsets change on no finer grid. */
export function zoneOffset(zone: string, t: number): number {
  const key = `${zone} ${Math.floor(t / 900)}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    const parts = Object.fromEntries(formatterOf(zone).formatToParts(t * 1000).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    offset = Math.round(Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - Math.floor(t));
    offsets.set(key, offset);
  }
  return offset;
}

/** A Date whose UTC getters tell the civil time of the zone. */
export function civil(zone: string, t: number): Date {
  return new Date((t + zoneOffset(zone, t)) * 1000);
}

/** Epoch seconds of a civil time given as if it were UTC. */
export function fromCivil(zone: string, seconds: number): number {
  const first = seconds - zoneOffset(zone, seconds);
  return seconds - zoneOffset(zone, first);
}

/** Midnight at the start of the civil day of `t`. */
export function startOfDay(zone: string, t: number): number {
  const local = t + zoneOffset(zone, t);
  return fromCivil(zone, Math.floor(local / DAY) * DAY);
}

/** Midnight `days` civil days after the day of `t`: a day of 23 or 25 hours counts as one. */
export function addDays(zone: string, t: number, days: number): number {
  const local = t + zoneOffset(zone, t);
  return fromCivil(zone, (Math.floor(local / DAY) + days) * DAY);
}

/** Midnight of `2013-02-09` in the zone, or undefined if that is no date. */
export function fromIsoDate(zone: string, text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return undefined;
  return fromCivil(zone, Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) / 1000);
}
