/**
 * Times as people write them in fields and queries: ISO 8601 dates, and spans from now.
 * Leaves out time zones of places: without an offset a time is UTC, the same everywhere.
 */

const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** Milliseconds since 1970 of `2026-11-20` or `2026-11-20T10:00Z`; null for anything else. */
export function parseDate(text: string): number | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [
    ,
    year,
    month,
    day,
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '0',
    zone = 'Z',
  ] = match;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const milliseconds = fraction.padEnd(3, '0');
  const time = `${hour}:${minute}:${second}.${milliseconds}${offset}`;
  const ms = Date.parse(`${year}-${month}-${day}T${time}`);
  // The engine takes 30 February for 2 March; a date is what it says.
  return Number.isNaN(ms) || Number(day) > daysIn(Number(year), Number(month)) ? null : ms;
}

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month === 2) return isLeap ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

const SPAN = /^((?:\d{1,9}(?:\.\d{1,3})?(?:ms|[smhdw]))+)( ago)?$/;
const PART = /(\d+(?:\.\d+)?)(ms|[smhdw])/g;
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Milliseconds that `7d` or `1h30m` lies ahead of now, or `2h ago` behind it; null otherwise. */
export function parseSpan(text: string): number | null {
  const match = SPAN.exec(text);
  if (match === null) return null;
  let ms = 0;
  for (const [, amount, unit] of (match[1] ?? '').matchAll(PART)) {
    ms += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return Math.round(match[2] === undefined ? ms : -ms);
}
