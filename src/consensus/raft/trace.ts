/**
 * Steps of the machine as events of etcd-io/raft's TLA+ trace validation
 * (`tla/Traceetcdraft.tla`), in its names and fields, at the places where it expects them.
 * Costs nothing unless somebody listens.
 */
import { hardStateOf, type Raft } from './state.js';
import type { ConfChange, ConfState, Entry, Message, MessageType, Role } from './types.js';

type NodeEvent =
  | 'InitState'
  | 'BecomeCandidate'
  | 'BecomeFollower'
  | 'BecomeLeader'
  | 'Commit'
  | 'Replicate'
  | 'Ready';

const ROLES: Readonly<Record<Role, string>> = {
  follower: 'StateFollower',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
  preCandidate: 'StatePreCandidate',
};

const MESSAGES: Readonly<Partial<Record<MessageType, string>>> = {
  MsgApp: 'AppendEntriesRequest',
  MsgHeartbeat: 'AppendEntriesRequest',
  MsgSnap: 'AppendEntriesRequest',
  MsgAppResp: 'AppendEntriesResponse',
  MsgHeartbeatResp: 'AppendEntriesResponse',
  MsgVote: 'RequestVoteRequest',
  MsgVoteResp: 'RequestVoteResponse',
};

const ACTIONS = { voter: 'AddNewServer', learner: 'AddLearner', remove: 'RemoveServer' } as const;

export function traceNode(r: Raft, name: NodeEvent): void {
  emit(r, name);
}

export function traceReplicate(r: Raft, entries: readonly Entry[]): void {
  if (r.settings.onTrace === undefined) return;
  for (const { type } of entries) if (type === 'normal') emit(r, 'Replicate');
}

export function traceSent(r: Raft, message: Message): void {
  if (r.settings.onTrace === undefined) return;
  const kind = MESSAGES[message.type];
  if (kind === undefined) return;
  const own = message.type === 'MsgApp' ? r.tracker.progress.get(message.from) : undefined;
  const prop = own === undefined ? undefined : { match: own.match, next: own.next };
  emit(r, `Send${kind}`, messageFields(message), prop);
}

export function traceReceived(r: Raft, message: Message): void {
  if (r.settings.onTrace === undefined) return;
  const kind = MESSAGES[message.type];
  if (kind !== undefined) emit(r, `Receive${kind}`, messageFields(message));
}

/** A change was taken into the log. */
export function traceChangeProposed(r: Raft, change: ConfChange): void {
  if (r.settings.onTrace === undefined) return;
  const changes = change.changes.flatMap(({ type, id }) =>
    type === 'update' ? [] : [{ nid: String(id), action: ACTIONS[type] }],
  );
  if (changes.length > 0) emit(r, 'ChangeConf', undefined, { cc: { changes } });
}

/** `conf` is about to be in force. */
export function traceConfSwitch(r: Raft, conf: ConfState): void {
  if (r.settings.onTrace === undefined) return;
  const newconf = conf.voters.map(String);
  emit(r, 'ApplyConfChange', undefined, { cc: newconf.length === 0 ? {} : { newconf } });
}

function emit(
  r: Raft,
  name: string,
  msg?: Readonly<Record<string, string | number | boolean>>,
  prop?: Readonly<Record<string, unknown>>,
): void {
  const { onTrace } = r.settings;
  if (onTrace === undefined) return;
  const { term, vote, commit } = hardStateOf(r);
  const { voters, votersOutgoing } = r.tracker.conf;
  onTrace({
    name,
    nid: String(r.id),
    state: { term, vote: String(vote), commit },
    role: ROLES[r.role],
    log: r.log.lastIndex(),
    conf: [voters.map(String), votersOutgoing.map(String)],
    ...(msg === undefined ? {} : { msg }),
    ...(prop === undefined ? {} : { prop }),
  });
}

/** A snapshot counts as an append of the whole log up to it. */
function messageFields(m: Message): Readonly<Record<string, string | number | boolean>> {
  const isSnapshot = m.type === 'MsgSnap';
  return {
    type: m.type,
    term: m.term,
    from: String(m.from),
    to: String(m.to),
    entries: isSnapshot ? (m.snapshot?.metadata.index ?? 0) : m.entries.length,
    logTerm: isSnapshot ? 0 : m.logTerm,
    index: isSnapshot ? 0 : m.index,
    commit: m.commit,
    vote: String(m.vote),
    reject: m.reject,
    rejectHint: m.rejectHint,
  };
}
