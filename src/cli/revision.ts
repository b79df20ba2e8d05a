/**
 * REV: how people name a point in history. A commit's id or the beginning of it, `@`
 * (now), `@~3` (three own commits back), a stamp as it is printed, a time. Each is a
 * frontier; those that name a commit stand for it and all that its author knew.
 */
import { WnError } from '../core/errors.js';
import { hlcFromMs, type Hlc } from '../core/hlc.js';
import { frontierAt, frontierNow, newestFirst, type Frontier } from '../repo/frontier.js';
import type { CommitRef, History } from '../repo/history.js';
import { commitByPrefix, isIdPrefix } from '../repo/prefix.js';
import type { Replica } from '../repo/replica.js';
import { parseDate } from '../tree/dates.js';
import { counted } from './counted.js';
import { parseDuration } from './flags.js';

export interface Revision {
  readonly frontier: Frontier;
  /** The commit that was named; null for a time. For `@` the newest of this device's. */
  readonly commit: CommitRef | null;
}

const OWN = /^@(?:~(\d{1,9}))?$/;
const STAMP = /^(\d{1,15})\.(\d{1,5})$/;
const TIME = /^\d{4}-\d\d-\d\d/;
const AGO = /^(\S+) ago$/;
const COUNTER_MAX = 0xffff;
const HINT =
  'write a commit id, @, @~3, a stamp as wn log --json prints it, 2026-11-20T10:00Z or "2h ago"';

/** Throws `usage` for what is no REV, `not_found` for one that isn't here, `invalid` if ambiguous. */
export function resolveRevision(replica: Replica, text: string, nowMs: number): Revision {
  const { history } = replica;
  const own = OWN.exec(text);
  if (own !== null) return ownRevision(replica, own[1]);
  const time = timeOf(text, nowMs);
  if (time !== null) return { frontier: frontierAt(history, time), commit: null };
  if (!isIdPrefix(text)) throw new WnError('usage', `not a revision: ${text}`, { hint: HINT });
  const commit = commitByPrefix(history, text);
  if (commit !== null) return atCommit(history, commit);
  throw new WnError('not_found', `no commit here begins with ${text}`, {
    hint: 'see wn log; one that was made elsewhere comes with: wn sync',
  });
}

function atCommit(history: History, commit: CommitRef): Revision {
  return { frontier: history.frontierOf(commit), commit };
}

/** `@` is now; `@~0` the newest commit of this device, `@~1` the one before. */
function ownRevision(replica: Replica, steps: string | undefined): Revision {
  const { history } = replica;
  const found = ownCommit(replica, Number(steps ?? 0));
  if (steps === undefined) return { frontier: frontierNow(history), commit: found };
  if (found !== null) return atCommit(history, found);
  throw new WnError(
    'not_found',
    `this device has no ${counted(Number(steps), 'commit')} before its newest`,
    {
      hint: 'see wn log',
    },
  );
}

/** The parts of a change that took several commits count as one. */
function ownCommit({ history, device }: Replica, steps: number): CommitRef | null {
  const now = frontierNow(history);
  const own = [...now].filter(([log]) => history.log(log)?.dev === device);
  let left = steps;
  for (const { log, seq, record } of newestFirst(history, new Map(own))) {
    if (record.part) continue;
    if (left === 0) return { log, seq };
    left -= 1;
  }
  return null;
}

/** The last stamp that a stamp or time stands for; null if the text is neither. */
function timeOf(text: string, nowMs: number): Hlc | null {
  const stamp = STAMP.exec(text);
  if (stamp !== null) return stampTime(Number(stamp[1]), Number(stamp[2]));
  const ago = AGO.exec(text)?.[1];
  if (ago !== undefined) return endOf(nowMs - parseDuration(ago));
  if (!TIME.test(text)) return null;
  const ms = parseDate(text);
  if (ms === null) throw new WnError('usage', `no such time: ${text}`, { hint: HINT });
  return endOf(ms);
}

function stampTime(ms: number, counter: number): Hlc {
  return hlcFromMs(ms) | BigInt(Math.min(counter, COUNTER_MAX));
}

/** A millisecond's last stamp. */
function endOf(ms: number): Hlc {
  return stampTime(Math.max(0, ms), COUNTER_MAX);
}
