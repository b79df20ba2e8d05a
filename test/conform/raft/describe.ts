/** Entries, messages, states as etcd-io/raft prints them in its scripted cases. */
import { decodeConfChange } from '../../../src/consensus/raft/confcodec.js';
import {
  APPEND_THREAD,
  APPLY_THREAD,
  NONE,
  type ConfChangeSingle,
  type ConfState,
  type Entry,
  type HardState,
  type MemberId,
  type Message,
  type ProgressState,
  type ProgressStatus,
  type Ready,
  type Role,
  type Snapshot,
} from '../../../src/consensus/raft/types.js';

/**
 * etcd has an older form of entry for a single change, which differs in its name alone; the
 * driver marks those by their context.
 */
export const FIRST_FORM = Uint8Array.of(1);

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  follower: 'StateFollower',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
  preCandidate: 'StatePreCandidate',
};

const PROGRESS_NAMES: Readonly<Record<ProgressState, string>> = {
  probe: 'StateProbe',
  replicate: 'StateReplicate',
  snapshot: 'StateSnapshot',
};

const CHANGE_LETTERS = { voter: 'v', learner: 'l', remove: 'r', update: 'u' } as const;

export function describeHardState({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === NONE ? '' : ` Vote:${vote}`} Commit:${commit}`;
}

function describeSnapshot({ metadata: { index, term, confState } }: Snapshot): string {
  const list = (ids: readonly MemberId[]): string => `[${ids.join(' ')}]`;
  return (
    `Index:${index} Term:${term} ConfState:Voters:${list(confState.voters)} ` +
    `VotersOutgoing:${list(confState.votersOutgoing)} Learners:${list(confState.learners)} ` +
    `LearnersNext:${list(confState.learnersNext)} AutoLeave:${confState.autoLeave}`
  );
}

/** Text in quotes, as Go's %q has it. */
export function quoted(data: Uint8Array): string {
  return JSON.stringify(Buffer.from(data).toString('utf8')).replaceAll('\\u00', '\\x');
}

export function describeEntry({ term, index, type, data }: Entry): string {
  if (type === 'normal') return `${term}/${index} EntryNormal ${quoted(data)}`;
  const { changes, context } = decodeConfChange(data);
  const name = context.byteLength > 0 ? 'EntryConfChange' : 'EntryConfChangeV2';
  return [`${term}/${index}`, name, ...changes.map(describeChange)].join(' ');
}

function describeChange({ type, id }: ConfChangeSingle): string {
  return `${CHANGE_LETTERS[type]}${id}`;
}

export function describeEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${describeEntry(entry)}\n`).join('');
}

function describeTarget(id: MemberId): string {
  if (id === NONE) return 'None';
  if (id === APPEND_THREAD) return 'AppendThread';
  return id === APPLY_THREAD ? 'ApplyThread' : id.toString(16);
}

export function describeMessage(m: Message, indent = ''): string {
  const head =
    `${indent}${describeTarget(m.from)}->${describeTarget(m.to)} ${m.type} ` +
    `Term:${m.term} Log:${m.logTerm}/${m.index}`;
  return [
    head,
    m.reject ? ` Rejected (Hint: ${m.rejectHint})` : '',
    m.commit === 0 ? '' : ` Commit:${m.commit}`,
    m.vote === NONE ? '' : ` Vote:${m.vote}`,
    describeCarried(m.entries, indent),
    m.snapshot === null ? '' : `\n${indent}  Snapshot: ${describeSnapshot(m.snapshot)}`,
    describeResponses(m.responses, indent),
  ].join('');
}

function describeCarried(entries: readonly Entry[], indent: string): string {
  const [first] = entries;
  if (first === undefined) return '';
  if (entries.length === 1) return ` Entries:[${describeEntry(first)}]`;
  const lines = entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`);
  return ` Entries:[${lines.join('')}\n${indent}]`;
}

function describeResponses(responses: readonly Message[], indent: string): string {
  if (responses.length === 0) return '';
  const lines = responses.map((response) => `\n${describeMessage(response, `${indent}  `)}`);
  return ` Responses:[${lines.join('')}\n${indent}]`;
}

export function describeReady(ready: Ready): string {
  const { softState, hardState, readStates, entries, snapshot, committedEntries } = ready;
  const parts = [
    softState === null ? '' : `Lead:${softState.lead} State:${ROLE_NAMES[softState.role]}\n`,
    hardState === null ? '' : `HardState ${describeHardState(hardState)}\n`,
    readStates.length === 0
      ? ''
      : `ReadStates [${readStates.map(({ index, context }) => `{${index} [${[...context].join(' ')}]}`).join(' ')}]\n`,
    entries.length === 0 ? '' : `Entries:\n${describeEntries(entries)}`,
    snapshot === null ? '' : `Snapshot ${describeSnapshot(snapshot)}\n`,
    committedEntries.length === 0 ? '' : `CommittedEntries:\n${describeEntries(committedEntries)}`,
    ready.messages.length === 0
      ? ''
      : `Messages:\n${ready.messages.map((message) => `${describeMessage(message)}\n`).join('')}`,
  ].join('');
  return parts === '' ? '<empty Ready>' : `Ready MustSync=${ready.mustSync}:\n${parts}`;
}

function describeIds(ids: readonly MemberId[]): string {
  return `(${ids.map((id) => id.toString(16)).join(' ')})`;
}

export function describeConf(conf: ConfState): string {
  const joint = conf.votersOutgoing.length === 0 ? '' : `&&${describeIds(conf.votersOutgoing)}`;
  const named = (name: string, ids: readonly MemberId[]): string =>
    ids.length === 0 ? '' : ` ${name}=${describeIds(ids)}`;
  return (
    `voters=${describeIds(conf.voters)}${joint}${named('learners', conf.learners)}` +
    `${named('learners_next', conf.learnersNext)}${conf.autoLeave ? ' autoleave' : ''}`
  );
}

export function describeProgress(progress: ReadonlyMap<MemberId, ProgressStatus>): string {
  return [...progress].map(([id, status]) => `${id}: ${describeOne(status)}\n`).join('');
}

function describeOne(p: ProgressStatus): string {
  const full = p.inflightFull ? '[full]' : '';
  return [
    `${PROGRESS_NAMES[p.state]} match=${p.match} next=${p.next}`,
    p.learner ? ' learner' : '',
    p.paused ? ' paused' : '',
    p.pendingSnapshot > 0 ? ` pendingSnap=${p.pendingSnapshot}` : '',
    p.recentActive ? '' : ' inactive',
    p.inflight > 0 ? ` inflight=${p.inflight}${full}` : '',
  ].join('');
}
