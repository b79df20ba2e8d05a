/**
 * Taking changes back, by a commit that compensates them. Which one: the newest of this
 * device that is still in effect. That needs no memory beside the log: an undo's message
 * names what it took back, and an undo that is itself undone counts as not made. Leaves
 * out how single operations are taken back (`inverse.ts`).
 */
import { WnError } from '../core/errors.js';
import { showId, type CommitId } from '../core/ids.js';
import { frontierNow, newestFirst, type Dated } from '../repo/frontier.js';
import type { CommitRef } from '../repo/history.js';
import { commitByPrefix } from '../repo/prefix.js';
import type { Replica } from '../repo/replica.js';
import { inverseOf, type NotUndone } from './inverse.js';
import type { Committed, WorkCopy } from './workcopy.js';

export interface Undone extends Committed {
  readonly undone: CommitId;
  /** What isn't as that commit left it any more; it stays as it is. */
  readonly notUndone: readonly NotUndone[];
}

/**
 * Takes back `wished`, or (null) the newest change of this device. Throws `not_found`
 * where there is none, `invalid` for one that is undone or never counted.
 */
export function undo(work: WorkCopy, wished: CommitRef | null): Promise<Undone> {
  const { replica } = work;
  const whole = wished === null ? null : (chainOf(replica, wished).at(-1) ?? wished);
  return takeBack(work, () => targetOf(replica, whole, 'change'));
}

/** Takes back the newest undo of this device. Throws `not_found`. */
export function redo(work: WorkCopy): Promise<Undone> {
  return takeBack(work, () => targetOf(work.replica, null, 'undo'));
}

interface Target {
  readonly ref: CommitRef;
  /** Own commits since that together come to nothing, as `log/seq`. */
  readonly neutral: ReadonlySet<string>;
}

async function takeBack(work: WorkCopy, find: () => Target): Promise<Undone> {
  const { replica } = work;
  const { ref } = find();
  const id = replica.history.record(ref)?.id ?? '';
  let notUndone: readonly NotUndone[] = [];
  const committed = await work.change(undoMessage(replica, ref, id), (draft) => {
    // Found again under the lock: another process may have committed meanwhile.
    const target = find();
    if (target.ref.log !== ref.log || target.ref.seq !== ref.seq) {
      throw new WnError('busy', 'another wn process has just committed here', {
        hint: 'nothing was changed; look at wn log, and run the command again',
      });
    }
    const inverse = inverseOf(replica, chainOf(replica, ref), target.neutral);
    for (const op of inverse.ops) draft.add(op);
    notUndone = inverse.notUndone;
  });
  return { ...committed, undone: id, notUndone };
}

function targetOf(replica: Replica, wished: CommitRef | null, kind: 'change' | 'undo'): Target {
  const hlc = wished === null ? null : (replica.history.record(wished)?.hlc ?? null);
  const since: OwnCommit[] = [];
  for (const commit of ownCommits(replica)) {
    const here = commit.log === wished?.log && commit.seq === wished.seq;
    if (here && commit.stands === 'void') throw alreadyUndone(commit);
    if (wished === null && commit.stands === kind)
      return { ref: commit, neutral: neutralIn(replica, since) };
    if (hlc !== null && commit.record.hlc <= hlc) break;
    since.push(commit);
  }
  if (wished !== null)
    return { ref: checkedTarget(replica, wished), neutral: neutralIn(replica, since) };
  const what = kind === 'change' ? 'undo' : 'redo';
  throw new WnError(
    'not_found',
    `nothing to ${what}: this device has no change here that could be`,
    {
      hint:
        kind === 'change'
          ? 'name a commit to take back that one: wn undo COMMIT; see wn log'
          : 'a redo takes back the newest undo; see wn log',
    },
  );
}

/** Of commits up to now those that come to nothing: each undone one, and what undid it. */
function neutralIn(replica: Replica, since: readonly OwnCommit[]): ReadonlySet<string> {
  const names = new Set(since.map((commit) => commit.name));
  const neutral = since.filter(
    ({ stands, undoes }) => stands === 'void' || (undoes !== null && names.has(undoes)),
  );
  const commits = neutral.flatMap((commit) => chainOf(replica, commit));
  return new Set(commits.map(({ log, seq }) => `${log}/${seq}`));
}

function alreadyUndone({ record }: Dated): WnError {
  return new WnError('invalid', `${nameOf(record.id)} is undone already`, {
    hint: 'nothing was changed; to have it back: wn redo, or wn undo the commit that undid it',
  });
}

function checkedTarget({ history }: Replica, ref: CommitRef): CommitRef {
  if (history.record(ref)?.state === 'live') return ref;
  throw new WnError('invalid', 'that commit counts for nothing: there is nothing to undo', {
    hint: 'nothing was changed',
  });
}

/** The commits of one change, in order: those that are only parts of it, and the last. */
function chainOf({ history }: Replica, { log, seq }: CommitRef): readonly CommitRef[] {
  const isPart = (at: number): boolean => history.record({ log, seq: at })?.part === true;
  let [first, last] = [seq, seq];
  while (isPart(first - 1)) first -= 1;
  while (isPart(last)) last += 1;
  return Array.from({ length: last - first + 1 }, (_, index) => ({ log, seq: first + index }));
}

interface OwnCommit extends Dated {
  /** The beginning of its id. */
  readonly name: string;
  /** The name of the commit that this one takes back; null for what is no undo. */
  readonly undoes: string | null;
  /** `void`: undone, or an undo that is undone. */
  readonly stands: 'change' | 'undo' | 'void';
}

/** Changes of this device that bear on worknodes, and undos of them, newest first. */
function* ownCommits(replica: Replica): Iterable<OwnCommit> {
  const { history, device } = replica;
  const own = [...frontierNow(history)].filter(([log]) => history.log(log)?.dev === device);
  const undone = new Set<string>();
  for (const commit of newestFirst(history, new Map(own))) {
    if (commit.record.part || commit.record.state !== 'live' || !bearsOnWorknodes(replica, commit))
      continue;
    const name = nameOf(commit.record.id);
    const undoes = undoneBy(replica, commit);
    const isVoid = undone.has(name);
    if (undoes !== null && !isVoid) undone.add(undoes);
    const stands = isVoid ? 'void' : isUndo(replica, commit) ? 'undo' : 'change';
    yield { ...commit, name, undoes, stands };
  }
}

function bearsOnWorknodes({ history }: Replica, ref: CommitRef): boolean {
  return history
    .commit(ref)
    .header.groups.some((group) => group.form !== 'control' && group.ops > 0);
}

/** An undo of an undo is a change again. */
function isUndo(replica: Replica, ref: CommitRef): boolean {
  let undos = 0;
  for (let at: CommitRef | null = ref; at !== null; undos += 1) {
    const target = undoneBy(replica, at);
    if (target === null) break;
    at = commitByPrefix(replica.history, target);
  }
  return undos % 2 === 1;
}

const NAME_CHARS = 10;

function nameOf(id: CommitId): string {
  return showId(id).slice(0, NAME_CHARS);
}

const MESSAGE = /^undo ([0-9a-hjkmnp-tv-z]{10})(?:: |$)/;
const PREFIXES = /^(?:undo [0-9a-hjkmnp-tv-z]{10}(?:: |$))+/;

function undoMessage(replica: Replica, ref: CommitRef, id: CommitId): string {
  const [first = ''] = messageOf(replica, ref).split('\n');
  const about = first.replace(PREFIXES, '');
  const name = `undo ${nameOf(id)}`;
  return about === '' ? name : `${name}: ${about}`;
}

/** The beginning of the id of the commit that this one takes back; null if it is no undo. */
function undoneBy(replica: Replica, ref: CommitRef): string | null {
  return MESSAGE.exec(messageOf(replica, ref))?.[1] ?? null;
}

function messageOf({ history, fold }: Replica, ref: CommitRef): string {
  const groups = fold.groups.of(history.commit(ref));
  return groups.find((group) => typeof group?.msg === 'string')?.msg ?? '';
}
