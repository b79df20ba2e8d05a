/** A member as it is after a start: a follower of nobody, with what its storage says. */
import { assert, WnError } from '../../core/errors.js';
import {
  RAFT_APPLYING_BYTES_MAX,
  RAFT_INFLIGHT_BYTES_MAX,
  RAFT_INFLIGHT_MSGS_MAX,
  RAFT_MSG_BYTES_MAX,
  RAFT_UNCOMMITTED_BYTES_MAX,
} from '../../core/limits.js';
import { checkConfState } from './confchange.js';
import { RaftLog } from './log.js';
import { Reads } from './reads.js';
import { startFrom } from './reconfigure.js';
import { becomeFollower } from './roles.js';
import type { Raft, Settings } from './state.js';
import { Tracker } from './tracker.js';
import { traceNode } from './trace.js';
import { APPLY_THREAD, NONE, type Config, type HardState } from './types.js';

/** Throws `damage` where hard state and log contradict each other, `invalid` for a bad configuration. */
export function createRaft(config: Config): Raft {
  const settings = settingsOf(config);
  const { hardState, confState } = settings.storage.initialState();
  checkConfState(confState);
  const r: Raft = {
    id: settings.id,
    settings,
    log: new RaftLog(settings.storage, settings.maxCommittedSizePerReady),
    term: 0,
    vote: NONE,
    role: 'follower',
    lead: NONE,
    isLearner: false,
    tracker: new Tracker(settings.maxInflightMsgs, settings.maxInflightBytes),
    messages: [],
    messagesAfterAppend: [],
    readStates: [],
    electionElapsed: 0,
    heartbeatElapsed: 0,
    randomizedElectionTimeout: 0,
    leadTransferee: NONE,
    pendingConfIndex: 0,
    uncommittedSize: 0,
    reads: new Reads(),
    earlyReads: [],
  };
  traceNode(r, 'InitState');
  startFrom(r, confState);
  loadHardState(r, hardState);
  if (config.applied !== undefined && config.applied > 0) {
    // It was committed, even if the hard state that said so was lost: that isn't synced.
    r.log.commitTo(config.applied);
    r.log.appliedTo(config.applied, 0);
  }
  becomeFollower(r, r.term, NONE);
  return r;
}

function settingsOf(config: Config): Settings {
  const settings: Settings = {
    asyncStorageWrites: false,
    maxSizePerMsg: RAFT_MSG_BYTES_MAX,
    maxCommittedSizePerReady: RAFT_APPLYING_BYTES_MAX,
    maxUncommittedSize: RAFT_UNCOMMITTED_BYTES_MAX,
    maxInflightMsgs: RAFT_INFLIGHT_MSGS_MAX,
    maxInflightBytes: RAFT_INFLIGHT_BYTES_MAX,
    preVote: true,
    checkQuorum: true,
    stepDownOnRemoval: true,
    disableProposalForwarding: false,
    disableConfChangeValidation: false,
    onNotice: () => undefined,
    ...config,
  };
  const { id, heartbeatTick, electionTick } = settings;
  assert(Number.isSafeInteger(id) && id > NONE && id < APPLY_THREAD, `no member id: ${id}`);
  assert(heartbeatTick > 0 && electionTick > heartbeatTick, 'elections before heartbeats');
  assert(settings.maxInflightMsgs > 0, 'no message may be under way');
  assert(settings.maxInflightBytes >= settings.maxSizePerMsg, 'no whole message may be under way');
  assert(settings.maxCommittedSizePerReady > 0, 'nothing may be applied');
  return settings;
}

/** A hard state that was never written is all zeros, and says nothing. */
function loadHardState(r: Raft, { term, vote, commit }: HardState): void {
  if (term === 0 && vote === NONE && commit === 0) return;
  const { committed } = r.log;
  if (commit < committed || commit > r.log.lastIndex()) {
    throw new WnError(
      'damage',
      `the log goes from ${committed} to ${r.log.lastIndex()}, and entry ${commit} was committed; ` +
        'nothing was changed',
      { hint: 'Take this member out of the group and let it join anew.' },
    );
  }
  r.log.committed = commit;
  r.term = term;
  r.vote = vote;
}
