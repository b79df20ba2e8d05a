/** How a configuration comes into force: a change that is applied, or a snapshot. */
import { assert } from '../../core/errors.js';
import { changeConf, checkConfState } from './confchange.js';
import { broadcastAppend, maybeCommit, sendAppend } from './replicate.js';
import { becomeFollower } from './roles.js';
import type { Raft } from './state.js';
import { releaseEarlyReads } from './readindex.js';
import { Tracker } from './tracker.js';
import { traceConfSwitch } from './trace.js';
import { NONE, type ConfChange, type ConfState, type MemberId, type Snapshot } from './types.js';

/** Throws `WnError('invalid')` for a change that the configuration in force doesn't admit. */
export function applyConfChange(r: Raft, change: ConfChange): ConfState {
  const { conf, kept } = changeConf(r.tracker.conf, change);
  switchTo(r, conf, kept);
  return conf;
}

/**
 * The state of a leader that is too far ahead for its log; false if it is of no use here.
 * Nothing is taken over yet: the driver has to store and apply it.
 */
export function restore(r: Raft, snapshot: Snapshot): boolean {
  const { index, term, confState } = snapshot.metadata;
  if (index <= r.log.committed) return false;
  assert(r.role === 'follower', `a ${r.role} was to restore a snapshot`);
  const { voters, votersOutgoing, learners } = confState;
  if (![...voters, ...votersOutgoing, ...learners].includes(r.id)) {
    r.settings.onNotice({ kind: 'foreignSnapshot', index });
    return false;
  }
  if (r.log.matches({ index, term })) {
    r.log.commitTo(index);
    return false;
  }
  checkConfState(confState);
  r.log.restore(snapshot);
  startFrom(r, confState);
  return true;
}

/** Puts `conf` in force, nothing known of its members. */
export function startFrom(r: Raft, conf: ConfState): void {
  const { maxInflightMsgs, maxInflightBytes } = r.settings;
  r.tracker = new Tracker(maxInflightMsgs, maxInflightBytes);
  switchTo(r, conf, new Set());
}

function switchTo(r: Raft, conf: ConfState, kept: ReadonlySet<MemberId>): void {
  traceConfSwitch(r, conf);
  r.tracker.switchTo(conf, kept, r.log.lastIndex());
  const own = r.tracker.progress.get(r.id);
  r.isLearner = own?.isLearner ?? false;
  if (r.role !== 'leader') return;
  if (own === undefined || own.isLearner) {
    if (r.settings.stepDownOnRemoval) becomeFollower(r, r.term, NONE);
    return;
  }
  // A smaller quorum may have stored more; new members needn't wait for a heartbeat.
  if (maybeCommit(r)) {
    releaseEarlyReads(r);
    broadcastAppend(r);
  } else {
    for (const id of r.tracker.progress.keys()) if (id !== r.id) sendAppend(r, id, false);
  }
  const votes = [...conf.voters, ...conf.votersOutgoing].includes(r.leadTransferee);
  if (!votes) r.leadTransferee = NONE;
}
