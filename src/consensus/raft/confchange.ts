/**
 * Changes of configuration: one voter at a time (thesis §4.1), or any number through a joint
 * configuration (§4.3). Pure: from one configuration to the next; what a member's progress
 * becomes is `tracker.ts`. Every function throws `WnError('invalid')` for a change that the
 * given configuration doesn't admit.
 */
import { WnError } from '../../core/errors.js';
import {
  NONE,
  type ConfChange,
  type ConfChangeSingle,
  type ConfState,
  type MemberId,
} from './types.js';

export const EMPTY_CONF: ConfState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

export interface Changed {
  readonly conf: ConfState;
  /** Members of before that stayed throughout: what is known of their logs still holds. */
  readonly kept: ReadonlySet<MemberId>;
}

export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/** All that replicate the log, ascending. */
export function membersOf(conf: ConfState): readonly MemberId[] {
  return ascending([...conf.voters, ...conf.votersOutgoing, ...conf.learners]);
}

/** Those of both halves, ascending. */
export function votersOf(conf: ConfState): readonly MemberId[] {
  return ascending([...conf.voters, ...conf.votersOutgoing]);
}

function ascending(ids: Iterable<MemberId>): readonly MemberId[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

/** Whether a change asks to leave the joint configuration. */
export function leavesJoint(change: ConfChange): boolean {
  return change.transition === 'auto' && change.changes.length === 0;
}

/** What a change makes of a configuration, by the protocol that it asks for. */
export function changeConf(conf: ConfState, change: ConfChange): Changed {
  if (leavesJoint(change)) return leaveJoint(conf);
  if (change.transition === 'auto' && change.changes.length === 1) {
    return changeSimply(conf, change.changes);
  }
  return enterJoint(conf, change.changes, change.transition !== 'explicit');
}

/** At most one voter more or less; any number of learners. */
export function changeSimply(conf: ConfState, changes: readonly ConfChangeSingle[]): Changed {
  if (isJoint(conf)) throw invalid("can't apply simple config change in joint config");
  const changed = apply(new Draft(conf, []), changes);
  if (difference(conf.voters, changed.conf.voters) > 1) {
    throw invalid('more than one voter changed without entering joint config');
  }
  return changed;
}

export function enterJoint(
  conf: ConfState,
  changes: readonly ConfChangeSingle[],
  autoLeave: boolean,
): Changed {
  if (isJoint(conf)) throw invalid('config is already joint');
  if (conf.voters.length === 0) throw invalid("can't make a zero-voter config joint");
  const { conf: next, kept } = apply(new Draft(conf, conf.voters), changes);
  return { conf: { ...next, autoLeave }, kept };
}

export function leaveJoint(conf: ConfState): Changed {
  if (!isJoint(conf)) throw invalid("can't leave a non-joint config");
  const next: ConfState = {
    voters: conf.voters,
    votersOutgoing: [],
    learners: ascending([...conf.learners, ...conf.learnersNext]),
    learnersNext: [],
    autoLeave: false,
  };
  return { conf: next, kept: new Set(membersOf(next)) };
}

/** Throws unless `conf` is as `ConfState` promises; `conf` comes from a disk or a peer. */
export function checkConfState(conf: ConfState): void {
  const lists = [conf.voters, conf.votersOutgoing, conf.learners, conf.learnersNext];
  if (lists.some((ids) => ids.some((id, at) => at > 0 && id <= (ids[at - 1] ?? 0)))) {
    throw invalid('a configuration whose members are not in ascending order');
  }
  const voters = new Set(votersOf(conf));
  if (conf.learners.some((id) => voters.has(id))) throw invalid('a learner that is also a voter');
  const outgoing = new Set(conf.votersOutgoing);
  if (!conf.learnersNext.every((id) => outgoing.has(id) && !conf.voters.includes(id))) {
    throw invalid('a next learner that is no outgoing voter');
  }
  if (conf.autoLeave && !isJoint(conf)) throw invalid('a simple configuration can leave nothing');
}

function invalid(why: string): WnError {
  return new WnError('invalid', why);
}

/** Ids that are in one of two lists but not in both. */
function difference(a: readonly MemberId[], b: readonly MemberId[]): number {
  const shared = a.filter((id) => b.includes(id)).length;
  return a.length + b.length - 2 * shared;
}

/** A configuration while changes are made to it. */
class Draft {
  readonly voters: Set<MemberId>;
  readonly outgoing: ReadonlySet<MemberId>;
  readonly learners: Set<MemberId>;
  readonly learnersNext: Set<MemberId>;
  readonly kept: Set<MemberId>;

  constructor(conf: ConfState, outgoing: readonly MemberId[]) {
    this.voters = new Set(conf.voters);
    this.outgoing = new Set(outgoing);
    this.learners = new Set(conf.learners);
    this.learnersNext = new Set(conf.learnersNext);
    this.kept = new Set(membersOf(conf));
  }

  makeVoter(id: MemberId): void {
    this.learners.delete(id);
    this.learnersNext.delete(id);
    this.voters.add(id);
  }

  makeLearner(id: MemberId): void {
    if (this.learners.has(id)) return;
    this.voters.delete(id);
    // Still a voter of the outgoing half: it becomes a learner when that is left.
    if (this.outgoing.has(id)) this.learnersNext.add(id);
    else this.learners.add(id);
  }

  remove(id: MemberId): void {
    this.voters.delete(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
    if (!this.outgoing.has(id)) this.kept.delete(id);
  }
}

function apply(draft: Draft, changes: readonly ConfChangeSingle[]): Changed {
  for (const { type, id } of changes) {
    if (id === NONE) continue;
    switch (type) {
      case 'voter':
        draft.makeVoter(id);
        break;
      case 'learner':
        draft.makeLearner(id);
        break;
      case 'remove':
        draft.remove(id);
        break;
      case 'update':
        break;
    }
  }
  if (draft.voters.size === 0) throw invalid('removed all voters');
  const conf: ConfState = {
    voters: ascending(draft.voters),
    votersOutgoing: ascending(draft.outgoing),
    learners: ascending(draft.learners),
    learnersNext: ascending(draft.learnersNext),
    autoLeave: false,
  };
  return { conf, kept: draft.kept };
}
