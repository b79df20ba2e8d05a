/**
 * Hybrid logical clocks (Kulkarni, Demirbas et al., 2014). A time is 64 bits: 48 of
 * wall milliseconds, 16 of counter; an overflowing counter carries into the
 * milliseconds. A stamp is a time and the log that made it, as one string whose order
 * is the order of stamps.
 */
import { assert } from './errors.js';
import type { LogId } from './ids.js';

/** `milliseconds << 16 | counter`. */
export type Hlc = bigint;

/** 16 hex digits of time, 32 of log id: compares as (time, log). */
export type Stamp = string;

export const HLC_MAX: Hlc = 0xffff_ffff_ffff_ffffn;
const COUNTER_BITS = 16n;

export function hlcFromMs(ms: number): Hlc {
  assert(ms >= 0, 'negative time');
  return BigInt(Math.floor(ms)) << COUNTER_BITS;
}

/** Wall milliseconds of a time. */
export function hlcMs(time: Hlc): number {
  return Number(time >> COUNTER_BITS);
}

/** The next time: the wall clock's, or one more than the greatest seen. */
export function nextHlc(wallMs: number, greatestSeen: Hlc): Hlc {
  const wall = hlcFromMs(wallMs);
  return wall > greatestSeen ? wall : greatestSeen + 1n;
}

/** 16 hex digits. */
export function timeDigits(time: Hlc): string {
  const digits = time.toString(16);
  // Until the year 4199 there are fifteen.
  return digits.length === 15 ? `0${digits}` : digits.padStart(16, '0');
}

export function stamp(time: Hlc, log: LogId): Stamp {
  return timeDigits(time) + log;
}

export function stampTime(at: Stamp): Hlc {
  return BigInt(`0x${at.slice(0, 16)}`);
}

/** Whether `a` has a smaller time than `b`, whatever their logs. */
export function isEarlier(a: Stamp, b: Stamp): boolean {
  return a < b && !b.startsWith(a.slice(0, 16));
}

export function stampLog(at: Stamp): LogId {
  return at.slice(16);
}

/** `2026-11-20T10:00:00.000Z` of a time; beyond what a date can show, its milliseconds. */
export function showTime(time: Hlc): string {
  const ms = hlcMs(time);
  return ms <= 8.64e15 ? new Date(ms).toISOString() : `${ms}ms`;
}

/** `1789012345678.3`: milliseconds and counter, as `--json` prints it. */
export function showHlc(time: Hlc): string {
  return `${time >> COUNTER_BITS}.${time & 0xffffn}`;
}
