/** How long ago something was, in the one unit that people would say it in. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** `3d ago`, `12m ago`, `just now`; a time that lies ahead (a clock was put back) is `just now`. */
export function ago(ms: number): string {
  for (const [unit, unitMs] of UNITS) {
    if (ms >= unitMs) return `${Math.floor(ms / unitMs)}${unit} ago`;
  }
  return 'just now';
}
