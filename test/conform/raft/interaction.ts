/** The commands of `interaction/`: each acts on a group of members and prints what happens. */
import { newMessage } from '../../../src/consensus/raft/messages.js';
import type { MessageType, Snapshot } from '../../../src/consensus/raft/types.js';
import { utf8 } from '../../../src/core/bytes.js';
import { WnError } from '../../../src/core/errors.js';
import { parseChanges } from './confchange.js';
import {
  plainKeys,
  plainNumbers,
  toBoolean,
  toNumber,
  valuesNamed,
  type Directive,
} from './datadriven.js';
import { describeEntries, describeMessage, describeProgress } from './describe.js';
import { FIRST_FORM, ROLE_NAMES } from './describe.js';
import { EMPTY_SNAPSHOT, Group, refusalOf, Unsupported } from './group.js';
import type { Member, Options } from './group.js';
import { toLevel } from './output.js';

type Command = (group: Group, directive: Directive) => string | null | void;

/** Runs the directives of one file, each on what the last has left. */
export function interactionRunner(): (directive: Directive) => string {
  const group = new Group();
  return (directive) => {
    const command = COMMANDS[directive.command];
    const error = command === undefined ? 'unknown command' : attempt(command, group, directive);
    const text = group.output.take() + (error ?? '');
    return text === '' ? 'ok' : text;
  };
}

/** The message of what went wrong in the script's eyes, printed like any output. */
function attempt(command: Command, group: Group, directive: Directive): string | null {
  try {
    return command(group, directive) ?? null;
  } catch (error) {
    if (error instanceof WnError && error.code === 'invalid') return error.message;
    throw error;
  }
}

const COMMANDS: Readonly<Record<string, Command>> = {
  _breakpoint: () => null,
  'add-nodes': addNodes,
  campaign: (group, directive) => first(group, directive).node.campaign(),
  compact: (group, directive) => {
    const member = first(group, directive);
    member.storage.compact(plainNumbers(directive)[1] ?? 0);
    writeLog(group, member);
  },
  'deliver-msgs': deliverMessages,
  'forget-leader': (group, directive) => first(group, directive).node.forgetLeader(),
  'log-level': (group, directive) => {
    group.output.level = toLevel(plainKeys(directive)[0] ?? '');
  },
  'process-append-thread': (group, directive) =>
    forEach(group, directive, 'processing append thread', (m) => group.processAppendThread(m)),
  'process-apply-thread': (group, directive) =>
    forEach(group, directive, 'processing apply thread', (m) => group.processApplyThread(m)),
  'process-ready': (group, directive) =>
    forEach(group, directive, 'handling Ready', (m) => group.processReady(m)),
  propose: (group, directive) =>
    refusalOf(first(group, directive).node.propose(utf8(plainKeys(directive)[1] ?? ''))),
  'propose-conf-change': proposeConfChange,
  'raft-log': (group, directive) => writeLog(group, first(group, directive)),
  'raft-state': writeStates,
  'report-unreachable': (group, directive) => {
    const [on, reported] = plainNumbers(directive);
    group.member(on ?? 0).node.reportUnreachable(reported ?? 0);
  },
  'send-snapshot': sendSnapshot,
  'set-randomized-election-timeout': (group, directive) => {
    const [timeout] = valuesNamed(directive, 'timeout');
    first(group, directive).node.raft.randomizedElectionTimeout = toNumber(timeout ?? '');
  },
  stabilize,
  status: (group, directive) => {
    group.output.write(describeProgress(first(group, directive).node.status().progress));
  },
  'tick-election': (group, directive) => tick(first(group, directive), 'electionTick'),
  'tick-heartbeat': (group, directive) => tick(first(group, directive), 'heartbeatTick'),
  'transfer-leadership': (group, directive) => {
    const [from] = valuesNamed(directive, 'from');
    const [to] = valuesNamed(directive, 'to');
    group.member(toNumber(from ?? '')).node.transferLeader(toNumber(to ?? ''));
  },
};

function first(group: Group, directive: Directive): Member {
  return group.member(toNumber(plainKeys(directive)[0] ?? ''));
}

function chosen(group: Group, directive: Directive): readonly Member[] {
  return plainNumbers(directive).map((id) => group.member(id));
}

function forEach(
  group: Group,
  directive: Directive,
  title: string,
  run: (member: Member) => void,
): void {
  const members = chosen(group, directive);
  for (const member of members) {
    if (members.length === 1) {
      run(member);
    } else {
      group.output.write(`> ${member.id} ${title}\n`);
      group.output.indented(() => run(member));
    }
  }
}

function tick({ node }: Member, times: 'electionTick' | 'heartbeatTick'): void {
  for (let count = node.raft.settings[times]; count > 0; count--) node.tick();
}

function addNodes(group: Group, directive: Directive): void {
  const value = (name: string): string | undefined => valuesNamed(directive, name)[0];
  const flag = (name: string): boolean => toBoolean(value(name) ?? 'false');
  if ((value('read-only') ?? 'safe') !== 'safe') throw new Unsupported('lease-based reads');
  const snapshot = bootstrapSnapshot(directive);
  const { index } = snapshot.metadata;
  const inflight = value('inflight');
  const bytes = value('max-committed-size-per-ready');
  const options: Options = {
    applied: index,
    asyncStorageWrites: flag('async-storage-writes'),
    preVote: flag('prevote'),
    checkQuorum: flag('checkquorum'),
    disableConfChangeValidation: flag('disable-conf-change-validation'),
    stepDownOnRemoval: flag('step-down-on-removal'),
    ...(inflight === undefined ? {} : { maxInflightMsgs: toNumber(inflight) }),
    ...(bytes === undefined ? {} : { maxCommittedSizePerReady: toNumber(bytes) }),
  };
  const count = plainNumbers(directive)[0] ?? 0;
  for (let added = 0; added < count; added++) group.add(options, snapshot);
}

function bootstrapSnapshot(directive: Directive): Snapshot {
  const ids = (name: string): readonly number[] =>
    valuesNamed(directive, name)
      .filter((value) => value !== '')
      .map(toNumber)
      .sort((a, b) => a - b);
  const index = toNumber(valuesNamed(directive, 'index')[0] ?? '0');
  const data = utf8(valuesNamed(directive, 'content')[0] ?? '');
  const [voters, learners] = [ids('voters'), ids('learners')];
  if (index + voters.length + learners.length + data.byteLength === 0) return EMPTY_SNAPSHOT;
  if (index <= 1) throw new WnError('invalid', 'index must be specified as > 1 due to bootstrap');
  const confState = { ...EMPTY_SNAPSHOT.metadata.confState, voters, learners };
  return { metadata: { index, term: 1, confState }, data };
}

function deliverMessages(group: Group, directive: Directive): void {
  const [type] = valuesNamed(directive, 'type');
  const recipients = [
    ...plainNumbers(directive).map((id) => ({ id, drop: false })),
    ...valuesNamed(directive, 'drop').map((id) => ({ id: toNumber(id), drop: true })),
  ];
  const count = group.deliver(recipients, type as MessageType | undefined);
  if (count === 0) group.output.write('no messages\n');
}

function proposeConfChange(group: Group, directive: Directive): string | null {
  const [transition = 'auto'] = valuesNamed(directive, 'transition');
  if (transition !== 'auto' && transition !== 'implicit' && transition !== 'explicit') {
    return `unknown transition ${transition}`;
  }
  const isFirstForm = toBoolean(valuesNamed(directive, 'v1')[0] ?? 'false');
  const changes = parseChanges(directive.input.replaceAll('\n', ' '));
  if (isFirstForm && (changes.length > 1 || transition !== 'auto')) {
    return 'v1 conf change can only have one operation and no transition';
  }
  const context = isFirstForm ? FIRST_FORM : utf8('');
  const { node } = first(group, directive);
  return refusalOf(node.proposeConfChange({ transition, changes, context }));
}

function writeLog({ output }: Group, { storage }: Member): void {
  const [from, last] = [storage.firstIndex(), storage.lastIndex()];
  const entries = storage.entries(from, last + 1, Infinity) ?? [];
  output.write(
    entries.length === 0
      ? `log is empty: first index=${from}, last index=${last}`
      : describeEntries(entries),
  );
}

function writeStates({ output, members }: Group): void {
  for (const { id, node } of members) {
    const { hardState, softState, confState } = node.status();
    const votes = confState.voters.includes(id) || confState.votersOutgoing.includes(id);
    output.write(
      `${id}: ${ROLE_NAMES[softState.role]} ${votes ? '(Voter)' : '(Non-Voter)'} ` +
        `Term:${hardState.term} Lead:${softState.lead}\n`,
    );
  }
}

function sendSnapshot(group: Group, directive: Directive): void {
  const [from, to] = plainNumbers(directive);
  const { id, node, history } = group.member(from ?? 0);
  const message = newMessage('MsgSnap', {
    term: node.raft.term,
    from: id,
    to: to ?? 0,
    snapshot: history.at(-1) ?? null,
  });
  group.messages.push(message);
  group.output.write(describeMessage(message));
}

function stabilize(group: Group, directive: Directive): void {
  const { output } = group;
  const [level] = valuesNamed(directive, 'log-level');
  const before = output.level;
  if (level !== undefined) output.level = toLevel(level);
  const members = chosen(group, directive);
  group.stabilize(members.length > 0 ? members : group.members);
  output.level = before;
}
