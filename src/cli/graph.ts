/**
 * The graph beside `wn log`: a column for each log, a star for each commit, and a line
 * to the columns of the logs that it had seen news of. A column ends where its log begins.
 */
import type { LogId } from '../core/ids.js';

export interface GraphRow {
  readonly log: LogId;
  /** Logs of its deps, and of the commit before where that stands in another log. */
  readonly parents: readonly LogId[];
  /** The first commit of its log. */
  readonly first: boolean;
}

/** One text for each row, newest first. */
export function graphColumns(rows: readonly GraphRow[]): readonly string[] {
  const lanes: (LogId | null)[] = [];
  return rows.map(({ log, parents, first }) => {
    const own = laneOf(lanes, log);
    const others = parents
      .filter((parent) => parent !== log)
      .map((parent) => laneOf(lanes, parent));
    const [from, to] = [Math.min(own, ...others), Math.max(own, ...others)];
    const cells = lanes.map((lane, index) => {
      const dash = index >= from && index < to ? '-' : ' ';
      if (index === own) return `*${dash}`;
      if (others.includes(index)) return `+${dash}`;
      return (lane === null ? dash : '|') + dash;
    });
    if (first) lanes[own] = null;
    return cells.join('').trimEnd();
  });
}

/** A log's column; the first free one where it has none yet. */
function laneOf(lanes: (LogId | null)[], log: LogId): number {
  const known = lanes.indexOf(log);
  if (known >= 0) return known;
  const free = lanes.indexOf(null);
  const lane = free >= 0 ? free : lanes.length;
  lanes[lane] = log;
  return lane;
}
