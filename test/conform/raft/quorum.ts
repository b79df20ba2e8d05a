/** The commands of `quorum/`: what is committed and how votes stand, each also by other ways. */
import {
  majorityCommitted,
  majorityVote,
  quorumCommitted,
  quorumVote,
  type Acked,
  type Quorum,
} from '../../../src/consensus/raft/quorum.js';
import type { Index, MemberId } from '../../../src/consensus/raft/types.js';
import { toNumber, valuesNamed, type Directive } from './datadriven.js';

const RESULTS = { pending: 'VotePending', lost: 'VoteLost', won: 'VoteWon' } as const;

export function runQuorum(directive: Directive): string {
  const voters = idsNamed(directive, 'cfg');
  const isJoint = valuesNamed(directive, 'cfgj').length > 0;
  const votersOutgoing = idsNamed(directive, 'cfgj');
  const quorum: Quorum = { voters, votersOutgoing };
  const members = [...new Set([...voters, ...votersOutgoing])];
  const inputs = valuesNamed(directive, directive.command === 'vote' ? 'votes' : 'idx');
  if (members.length !== inputs.length) {
    return `error: mismatched input (explicit or _) for voters map[${members.map((id) => `${id}:{}`).join(' ')}]: [${inputs.join(' ')}]`;
  }
  const given = new Map(members.map((id, at) => [id, inputs[at] ?? '_'] as const));
  switch (directive.command) {
    case 'committed':
      return committed(quorum, isJoint, given);
    case 'vote':
      return vote(quorum, isJoint, given);
    default:
      throw new Error(`unknown command: ${directive.command}`);
  }
}

function idsNamed(directive: Directive, name: string): readonly MemberId[] {
  const values = valuesNamed(directive, name).filter((value) => value !== 'zero' && value !== '');
  return [...new Set(values.map(toNumber))];
}

function committed(quorum: Quorum, isJoint: boolean, given: ReadonlyMap<MemberId, string>): string {
  const indexes = new Map(
    [...given].flatMap(([id, text]) => (text === '_' ? [] : [[id, toNumber(text)] as const])),
  );
  const acked: Acked = (id) => indexes.get(id);
  const index = quorumCommitted(quorum, acked);
  const members = [...given.keys()].sort((a, b) => a - b);
  return [
    describeAcked(members, acked),
    ...(isJoint ? jointChecks(quorum, acked, index) : majorityChecks(quorum.voters, acked, index)),
    `${showIndex(index)}\n`,
  ].join('');
}

function jointChecks({ voters, votersOutgoing }: Quorum, acked: Acked, index: Index): string[] {
  const swapped = quorumCommitted({ voters: votersOutgoing, votersOutgoing: voters }, acked);
  return swapped === index ? [] : [`${showIndex(swapped)} <-- via symmetry\n`];
}

function majorityChecks(voters: readonly MemberId[], acked: Acked, index: Index): string[] {
  const lines: string[] = [];
  const check = (other: Index, how: string): void => {
    if (other !== index) lines.push(`${showIndex(other)} <-- ${how}\n`);
  };
  check(majorityCommitted(voters, acked), 'via zero-joint quorum');
  check(quorumCommitted({ voters, votersOutgoing: voters }, acked), 'via self-joint quorum');
  for (const id of voters) {
    const own = acked(id) ?? 0;
    if (own === 0 || own >= index) continue;
    // What is below the committed index may as well be lower.
    for (const lower of [own - 1, 0]) {
      const overlaid = majorityCommitted(voters, (other) => (other === id ? lower : acked(other)));
      check(overlaid, `overlaying ${id}->${lower}`);
    }
  }
  return lines;
}

function vote(quorum: Quorum, isJoint: boolean, given: ReadonlyMap<MemberId, string>): string {
  const { voters, votersOutgoing } = quorum;
  const votes = new Map(
    [...given].flatMap(([id, text]) => (text === '_' ? [] : [[id, text === 'y'] as const])),
  );
  if (!isJoint) return `${RESULTS[majorityVote(voters, votes)]}\n`;
  const result = quorumVote(quorum, votes);
  const swapped = quorumVote({ voters: votersOutgoing, votersOutgoing: voters }, votes);
  return `${swapped === result ? '' : `${RESULTS[swapped]} <-- via symmetry\n`}${RESULTS[result]}\n`;
}

function showIndex(index: Index): string {
  return index === Infinity ? '∞' : String(index);
}

/** A bar for each member, as long as there are members with lower indexes. */
function describeAcked(members: readonly MemberId[], acked: Acked): string {
  if (members.length === 0) return '<empty majority quorum>';
  const n = members.length;
  const indexes = members.map((id) => acked(id) ?? 0);
  const lines = members.map((id, at) => {
    const index = indexes[at] ?? 0;
    const bar = indexes.filter((other) => other < index).length;
    const shown =
      acked(id) === undefined ? `?${' '.repeat(n)}` : `${'x'.repeat(bar)}>${' '.repeat(n - bar)}`;
    return `${shown} ${String(index).padStart(5)}    (id=${id.toString(16)})\n`;
  });
  return `${' '.repeat(n)}    idx\n${lines.join('')}`;
}
