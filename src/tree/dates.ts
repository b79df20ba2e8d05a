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
  const ms = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${offset}`,
  );
  // The engine lets 30 February through as 2 March; a date is what it says.
  const midnight = Date.parse(`${year}-${month}-${day}T00:00:00.000Z`);
  const isReal = new Date(midnight || 0).toISOString().startsWith(`${year}-${month}-${day}`);
  return Number.isNaN(ms) || !isReal ? null : ms;
}

const SPAN = /^(\d{1,6})(s|min|m|h|d|w)( ago)?$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 24 * 3_600_000,
  w: 7 * 24 * 3_600_000,
};

/** Milliseconds that `7d` lies ahead of now, or `2h ago` behind it (negative); null otherwise. */
export function parseSpan(text: string): number | null {
  const match = SPAN.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
  return match[3] === undefined ? ms : -ms;
}
