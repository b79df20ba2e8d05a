/**
 * Making this copy's own commits: which log they go to, what they declare, under which
 * capability. Nothing is on disk before the replica is flushed.
 */
import { encodeCap } from '../caps/cap.js';
import { toHex } from '../core/bytes.js';
import { makeCommit, type Commit, type CommitKind } from '../core/commit.js';
import { assert, WnError } from '../core/errors.js';
import { hlcMs, nextHlc } from '../core/hlc.js';
import { logId, type CapId, type LogId } from '../core/ids.js';
import { CLOCK_AHEAD_MAX_MS, DEPS_MAX } from '../core/limits.js';
import { targetOf } from '../core/op.js';
import { Draft, type EncodedGroup } from './draft.js';
import { seenBy } from './fold/seen.js';
import { restsOn } from './fold/strong.js';
import type { CommitRef } from './history.js';
import type { Replica } from './replica.js';
import { writePlace, type Joining, type Place } from './settings.js';

export class Author {
  /** Logs whose head moved since this copy's newest commit; null where not known. */
  private moved: Set<LogId> | null = null;

  constructor(
    private readonly replica: Replica,
    private place: Place | null,
    /** What this device was given when it joined, until its first commit carries it. */
    readonly joining: Joining | null,
  ) {}

  /** The log that this copy writes; null while it has none. */
  get log(): LogId | null {
    return this.place === null ? null : logId(this.replica.device, this.place.epoch);
  }

  /** The log that the next commit goes to; known once there is a draft. */
  writingLog(): LogId {
    const { log } = this;
    assert(log !== null, 'no log of our own yet');
    return log;
  }

  refresh(): void {
    this.moved = null;
  }

  /** A commit of another log was folded. */
  saw(log: LogId): void {
    if (log !== this.log) this.moved?.add(log);
  }

  async draft(message: string | null): Promise<Draft> {
    await this.ownLog();
    return new Draft(this.replica.device, this.replica.ports.rng, message);
  }

  /**
   * Makes commits of a draft and folds them. Throws `denied` before anything is changed
   * if the capability doesn't allow every op. Returns the last commit, and how many ops
   * there were in all.
   */
  commit(draft: Draft): { readonly last: Commit; readonly ops: number } {
    const ops = draft.size;
    // One commit can't name more logs than this, so several are made; what lets them comes first.
    const crowded = this.movedSince().size > DEPS_MAX;
    const { device, ports, strongIndex } = this.replica;
    const seen = this.restsOnStrong(draft);
    const first = crowded || seen ? new Draft(device, ports.rng, null) : draft;
    const actAs = this.introduce(first);
    if (seen) first.add({ op: 'seen', index: strongIndex });
    if (first !== draft && first.size > 0) {
      for (const groups of first.commits()) this.make(groups, 'part', actAs);
    }
    while (this.movedSince().size > DEPS_MAX) this.make([], 'part', actAs);
    const parts = draft.commits();
    let last: Commit | null = null;
    for (const [index, groups] of parts.entries()) {
      last = this.make(groups, index === parts.length - 1 ? 'change' : 'part', actAs);
    }
    assert(last !== null, 'a draft without commits');
    return { last, ops };
  }

  /** The first commit of a device that joined carries what lets it. */
  private introduce(draft: Draft): CapId | undefined {
    const { authority, device } = this.replica;
    const own = this.joining?.caps.at(-1);
    if (this.joining === null || own === undefined) return undefined;
    if (authority.deviceOf(device).caps.includes(own.id)) return undefined;
    for (const { cap, sig } of this.joining.caps) {
      if (sig !== null) draft.add({ op: 'grant', cap: encodeCap(cap), sig });
    }
    draft.add({ op: 'device', name: this.joining.deviceName });
    return own.id;
  }

  /** Such a commit says first that its author had folded the strong log that far. */
  private restsOnStrong(draft: Draft): boolean {
    const { fold, tables, history, strongIndex } = this.replica;
    if (strongIndex === 0) return false;
    let newest = 0;
    for (const op of draft.planned()) {
      const node = op.op === 'create' ? op.parent : targetOf(op);
      if (node !== null) newest = Math.max(newest, restsOn(fold.node(node).strong));
    }
    const before = this.previous();
    return newest > 0 && (before === null || seenBy(tables, history, before) < newest);
  }

  private make(groups: readonly EncodedGroup[], kind: CommitKind, actAs?: CapId): Commit {
    const { replica } = this;
    const { history, authority, fold, ports } = replica;
    const log = this.writingLog();
    const record = history.log(log);
    assert(record !== null, 'no log of our own');
    const nowMs = ports.clock.wallMs();
    const cap = actAs ?? authority.actingCap(replica.device, nowMs)?.id;
    if (cap === undefined) throw denied('this device holds no capability here that is still good');
    const moved = [...this.movedSince()].slice(0, DEPS_MAX);
    const deps = moved.map((other) => ({ log: other, seq: history.log(other)?.folded ?? 0 }));
    const before = this.previous();
    const header = {
      ws: replica.ws,
      dev: record.dev,
      epoch: record.epoch,
      seq: record.stored.seq + 1,
      prev: before === null ? null : record.stored.id || (history.record(before)?.id ?? null),
      deps: deps.map((ref) => history.record(ref)?.id ?? '').sort(),
      hlc: this.nextTime(before?.log === log || before === null ? deps : [before, ...deps], nowMs),
      cap,
      kind,
    };
    const commit = makeCommit(header, groups);
    const decoded = groups.map(({ group }) => group);
    fold.groups.keep(commit.id, decoded);
    const verdict = authority.judge(commit, decoded);
    if (verdict.state !== 'live') throw denied(verdict.why);
    replica.accept(commit, 'live');
    for (const other of moved) this.moved?.delete(other);
    return commit;
  }

  private nextTime(past: readonly CommitRef[], nowMs: number): bigint {
    const { history } = this.replica;
    const own = history.log(this.writingLog())?.stored.lastTime ?? 0n;
    const greatest = past.reduce((max, ref) => {
      const time = history.lastTimeOf(ref);
      return time > max ? time : max;
    }, own);
    const hlc = nextHlc(nowMs, greatest);
    if (hlcMs(hlc) <= nowMs + CLOCK_AHEAD_MAX_MS) return hlc;
    throw new WnError('clock', 'the newest commit is stamped far ahead of this clock', {
      hint: 'nothing was changed; set the clock, or wait until it has caught up',
    });
  }

  /** Makes sure that this copy has a log that no other copy writes. */
  private async ownLog(): Promise<void> {
    const { history, device, ports } = this.replica;
    if (this.place?.mark !== ports.placeMark) {
      const place = { epoch: toHex(ports.rng.bytes(8)), mark: ports.placeMark };
      await writePlace(ports.storage, place);
      this.place = place;
      this.moved = null;
    }
    const log = this.writingLog();
    if (history.log(log) !== null) return;
    history.begin(log, { dev: device, epoch: this.place.epoch, link: this.newestOwn() });
    this.moved = null;
  }

  /** The newest commit of this device in any of its logs. */
  private newestOwn(): CommitRef | null {
    const { history, device } = this.replica;
    let newest: CommitRef | null = null;
    for (const record of history.allLogs()) {
      if (record.dev !== device || record.folded < record.firstSeq) continue;
      if (newest === null || record.folded > newest.seq) {
        newest = { log: history.logIdOf(record), seq: record.folded };
      }
    }
    return newest;
  }

  /** The commit that the next one links to. */
  private previous(): CommitRef | null {
    const log = this.writingLog();
    const record = this.replica.history.log(log);
    if (record === null) return null;
    return record.stored.seq >= record.firstSeq ? { log, seq: record.stored.seq } : record.link;
  }

  private movedSince(): Set<LogId> {
    if (this.moved !== null) return this.moved;
    const { history } = this.replica;
    const before = this.previous();
    const moved = new Set<LogId>();
    for (const record of history.allLogs()) {
      const other = history.logIdOf(record);
      if (other === this.log || record.folded < record.firstSeq) continue;
      if (before !== null && history.knows(before, other) >= record.folded) continue;
      moved.add(other);
    }
    this.moved = moved;
    return moved;
  }
}

export function denied(why: string): WnError {
  return new WnError('denied', why, {
    hint: 'nothing was written; ask someone who may for a grant: wn invite --act …',
  });
}
