/**
 * Who votes, and how that changes: joint consensus (Ongaro's thesis, §4.3), every change
 * by one transition that the leader leaves by itself. What a change makes here is what
 * Raft makes of `raftChanges` with an implicit transition. Leaves out who may change it.
 */
import {
  asArray,
  asBytes,
  asText,
  asUint,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { equalBytes, idBytes, toHex, utf8 } from '../../core/bytes.js';
import { hash } from '../../core/crypto.js';
import { assert, WnError } from '../../core/errors.js';
import { STRONG_ADDRESS_BYTES_MAX, STRONG_MEMBERS_MAX } from '../../core/limits.js';
import type { ConfChangeSingle, ConfState } from '../raft/types.js';
import type { Change, Configuration, Member, MemberId } from './types.js';

export function encodeMember({ id, device, seat, address }: Member): Canonical {
  return [id, idBytes(device), idBytes(seat), address];
}

/** Throws `invalid`. */
export function decodeMember(value: Canonical | undefined): Member {
  const [id, device, seat, address] = asArray(value, 'member', 4);
  const member = {
    id: asUint(id, 'id of a member'),
    device: toHex(asBytes(device, 'device', 32)),
    seat: toHex(asBytes(seat, 'seat', 8)),
    address: asText(address, 'address'),
  };
  if (member.id === 0 || utf8(member.address).byteLength > STRONG_ADDRESS_BYTES_MAX) {
    throw new WnError('invalid', 'a member out of bounds');
  }
  return member;
}

export function encodeConfiguration(configuration: Configuration): Canonical {
  const { index, voters, outgoing, learners } = configuration;
  return [index, ...[voters, outgoing, learners].map((half) => half.map(encodeMember))];
}

/** Throws `invalid`. */
export function decodeConfiguration(value: Canonical | undefined): Configuration {
  const [index, voters, outgoing, learners] = asArray(value, 'configuration', 4);
  const configuration = {
    index: asUint(index, 'index of a configuration'),
    voters: decodeMembers(voters),
    outgoing: decodeMembers(outgoing),
    learners: decodeMembers(learners),
  };
  if (configuration.voters.length === 0) {
    throw new WnError('invalid', 'a configuration without voters');
  }
  return configuration;
}

function decodeMembers(value: Canonical | undefined): readonly Member[] {
  const members = asArray(value, 'members').map(decodeMember);
  const ascend = members.every((member, at) => at === 0 || (members[at - 1]?.id ?? 0) < member.id);
  if (!ascend || members.length > STRONG_MEMBERS_MAX) {
    throw new WnError('invalid', 'members out of order, or too many');
  }
  return members;
}

const hashes = new WeakMap<Configuration, Uint8Array>();

export function configurationHash(configuration: Configuration): Uint8Array {
  let known = hashes.get(configuration);
  if (known === undefined) {
    known = hash('wn/strong-config/1', encodeCanonical(encodeConfiguration(configuration)));
    hashes.set(configuration, known);
  }
  return known;
}

export function sameConfiguration(a: Configuration, b: Configuration): boolean {
  return a === b || equalBytes(configurationHash(a), configurationHash(b));
}

export function isJoint({ outgoing }: Configuration): boolean {
  return outgoing.length > 0;
}

/** A voter of either half; null for a learner and for anybody else. */
export function voterOf({ voters, outgoing }: Configuration, id: MemberId): Member | null {
  return [...voters, ...outgoing].find((member) => member.id === id) ?? null;
}

type HasMember = (id: MemberId) => boolean;

export function isMajorityOf(half: readonly Member[], has: HasMember): boolean {
  return half.filter(({ id }) => has(id)).length * 2 > half.length;
}

/** Whether those are a majority of the voters, and of the outgoing ones while it is joint. */
export function isMajority({ voters, outgoing }: Configuration, has: HasMember): boolean {
  return isMajorityOf(voters, has) && (outgoing.length === 0 || isMajorityOf(outgoing, has));
}

/**
 * The joint configuration that the changes lead to, made by entry `index`; null where they
 * can't be: a member that isn't or is already, one device twice, no voter left. Each new
 * member has the next id; no id is named twice.
 */
export function changed(
  configuration: Configuration,
  changes: readonly Change[],
  index: number,
  nextMember: MemberId,
): { readonly configuration: Configuration; readonly nextMember: MemberId } | null {
  assert(!isJoint(configuration), 'a change within a change');
  const voters = new Map(configuration.voters.map((member) => [member.id, member]));
  const learners = new Map(configuration.learners.map((member) => [member.id, member]));
  const named = changes.map((change) => (change.change === 'add' ? change.member.id : change.id));
  if (new Set(named).size < named.length) return null;
  let next = nextMember;
  for (const change of changes) {
    if (change.change === 'add') {
      if (change.member.id !== next++) return null;
      learners.set(change.member.id, change.member);
    } else if (change.change === 'promote') {
      const learner = learners.get(change.id);
      if (learner === undefined) return null;
      learners.delete(change.id);
      voters.set(change.id, learner);
    } else if (!voters.delete(change.id) && !learners.delete(change.id)) {
      return null;
    }
  }
  const members = [...voters.values(), ...learners.values()];
  const devices = new Set(members.map(({ device }) => device));
  const tooMany = Math.max(voters.size, learners.size) > STRONG_MEMBERS_MAX;
  if (voters.size === 0 || tooMany || devices.size < members.length) return null;
  const joint = {
    index,
    voters: ascending(voters.values()),
    outgoing: configuration.voters,
    learners: ascending(learners.values()),
  };
  return { configuration: joint, nextMember: next };
}

function ascending(members: Iterable<Member>): readonly Member[] {
  return [...members].sort((a, b) => a.id - b.id);
}

/** What is left of a joint configuration once entry `index` has ended it. */
export function left(configuration: Configuration, index: number): Configuration {
  assert(isJoint(configuration), 'nothing to leave');
  return { ...configuration, index, outgoing: [] };
}

/** The same changes in Raft's words, for an implicit transition. */
export function raftChanges(changes: readonly Change[]): readonly ConfChangeSingle[] {
  return changes.map((change) => {
    if (change.change === 'add') return { type: 'learner', id: change.member.id };
    return { type: change.change === 'promote' ? 'voter' : 'remove', id: change.id };
  });
}

/** Raft's words for a configuration, as its snapshots carry it. */
export function raftConfState(configuration: Configuration): ConfState {
  const ids = (members: readonly Member[]): readonly MemberId[] => members.map(({ id }) => id);
  return {
    voters: ids(configuration.voters),
    votersOutgoing: ids(configuration.outgoing),
    learners: ids(configuration.learners),
    learnersNext: [],
    autoLeave: isJoint(configuration),
  };
}
