/** A group for the tests: fixed keys, requests and entries in a few words, a log that certifies itself. */
import { utf8 } from '../../../src/core/bytes.js';
import type { Signer } from '../../../src/core/crypto.js';
import { hash } from '../../../src/core/crypto.js';
import { hlcFromMs } from '../../../src/core/hlc.js';
import type { NodeId } from '../../../src/core/ids.js';
import type { FieldPath } from '../../../src/core/op.js';
import { encodeCap, type SignedCap } from '../../../src/caps/cap.js';
import { ACT, parseActs } from '../../../src/caps/acts.js';
import { castVote } from '../../../src/consensus/strong/certificate.js';
import { encodeEntryData } from '../../../src/consensus/strong/entry.js';
import { evaluate, initialState, type Evaluation } from '../../../src/consensus/strong/evaluate.js';
import { genesisOf, groupOf } from '../../../src/consensus/strong/group.js';
import { rootOf } from '../../../src/consensus/strong/merkle.js';
import { createdId, encodeRequest, signRequests } from '../../../src/consensus/strong/request.js';
import { encodeLedgerRecord } from '../../../src/consensus/strong/records.js';
import type { StrongState } from '../../../src/consensus/strong/state.js';
import type {
  Action,
  CarriedBytes,
  Certificate,
  Change,
  EntryType,
  Expectation,
  HomeStep,
  Member,
  MemberId,
  Outcome,
  Request,
  StrongEntry,
} from '../../../src/consensus/strong/types.js';
import {
  alice,
  bob,
  creator,
  forge,
  genesis as genesisCommit,
  keyOf,
  NOW_MS,
  ROOT,
  ROOT_CAP,
} from '../../caps/fixtures.js';

export { alice, bob, creator, NOW_MS, ROOT, ROOT_CAP };
export const GENESIS = genesisOf(genesisCommit);
export const GROUP = groupOf(GENESIS);

export const STRONG = parseActs('write,strong');
export const ALICE_CAP = forge(ROOT_CAP, creator, alice, { act: STRONG });
export const BOB_CAP = forge(ROOT_CAP, creator, bob, { act: STRONG });

/** Signers of members: 1 is the founder. */
export function memberKey(id: MemberId): Signer {
  const key = memberKeys.get(id) ?? keyOf(`member ${id}`);
  memberKeys.set(id, key);
  return key;
}

const memberKeys = new Map<MemberId, Signer>([[1, creator]]);

export function memberOf(id: MemberId): Member {
  const seat = id.toString(16).padStart(16, '0');
  const device = memberKey(id).publicKey;
  return id === 1
    ? { id, device, seat: GENESIS.seat, address: '' }
    : { id, device, seat, address: `wn://member-${id}` };
}

export function carried(...caps: readonly SignedCap[]): readonly CarriedBytes[] {
  return caps.map(({ cap, sig }) => ({
    cap: Uint8Array.from(encodeCap(cap)),
    sig: Uint8Array.from(sig ?? []),
  }));
}

/** A new member with the right to vote. */
export function add(id: MemberId): Change {
  const cap = forge(ROOT_CAP, creator, memberKey(id), { act: ACT.vote | ACT.read });
  return { change: 'add', member: memberOf(id), caps: carried(cap) };
}

let nonces = 0;

/** 16 bytes that never came before in this run. */
export function nextNonce(): Uint8Array {
  return Uint8Array.from(hash('wn/file/1', utf8(`nonce ${nonces++}`)).subarray(0, 16));
}

export interface Who {
  readonly key: Signer;
  readonly cap: SignedCap;
}

export const CREATOR: Who = { key: creator, cap: ROOT_CAP };
export const ALICE: Who = { key: alice, cap: ALICE_CAP };
export const BOB: Who = { key: bob, cap: BOB_CAP };

/** A worknode below the root, and the home that proves it. */
export function worknode(name: string): { readonly id: NodeId; readonly home: [HomeStep] } {
  const salt = Uint8Array.from(hash('wn/file/1', utf8(name)).subarray(0, 16));
  const step = { device: creator.publicKey, salt, index: 0 };
  const author = { author: creator.publicKey, nonce: salt };
  return { id: createdId(author, 0, ROOT), home: [step] };
}

export const NODES = ['a', 'b', 'c'].map(worknode);
export const [A, B, C] = NODES.map(({ id }) => id) as [NodeId, NodeId, NodeId];

export function request(
  who: Who,
  actions: readonly Action[],
  change: Partial<Request> = {},
): Request {
  return {
    group: GROUP.id,
    author: who.key.publicKey,
    cap: who.cap.id,
    caps: who.cap.sig === null ? [] : carried(who.cap),
    hlc: hlcFromMs(NOW_MS),
    nonce: nextNonce(),
    homes: NODES.map(({ home }) => home),
    actions,
    expects: [],
    ...change,
  };
}

export const set = (
  node: NodeId,
  value: string | number,
  path: FieldPath = ['status'],
): Action => ({
  action: 'set',
  node,
  path,
  type: 0,
  value,
});

/** A log under way: what was done is evaluated, and kept to be certified. */
export class TestLog {
  state: StrongState;
  readonly entries: { readonly entry: StrongEntry; readonly evaluation: Evaluation }[] = [];
  term = 1;
  timeMs = NOW_MS;
  /** Of the entry last evaluated: who certifies it. */
  voters: StrongState['configuration'];

  constructor() {
    this.state = initialState(GROUP);
    this.voters = this.state.configuration;
  }

  /** An entry of any bytes. */
  append(data: Uint8Array, type: EntryType = 'normal'): Evaluation {
    const entry = { index: this.state.index + 1, term: this.term, type, data };
    this.voters = this.state.configuration;
    const evaluation = evaluate(this.state, entry);
    this.state = evaluation.state;
    this.entries.push({ entry, evaluation });
    return evaluation;
  }

  data(who: Who, made: Request): Uint8Array {
    const [signed] = signRequests([encodeRequest(made)], who.key);
    if (signed === undefined) throw new Error('nothing was signed');
    return encodeEntryData(this.timeMs, signed);
  }

  /** One request in one entry. */
  ask(who: Who, actions: readonly Action[], change: Partial<Request> = {}): Outcome {
    const made = request(who, actions, { hlc: hlcFromMs(this.timeMs), ...change });
    const type = actions.some(({ action }) => action === 'configure') ? 'confChange' : 'normal';
    return this.append(this.data(who, made), type).outcome;
  }

  expecting(who: Who, actions: readonly Action[], ...expects: readonly Expectation[]): Outcome {
    return this.ask(who, actions, { expects });
  }

  /** Joint, then left, as Raft does it. */
  configure(...changes: readonly Change[]): void {
    this.beginChange(...changes);
    this.endChange();
  }

  beginChange(...changes: readonly Change[]): void {
    this.ask(CREATOR, [{ action: 'configure', changes }]);
  }

  endChange(): void {
    this.append(new Uint8Array(0), 'confChange');
  }

  /** Of the last entry, signed by these, or by all who vote. */
  certificate(signers?: readonly MemberId[], change: Partial<Certificate> = {}): Certificate {
    const { voters, outgoing } = this.voters;
    const all = [...new Set([...voters, ...outgoing].map(({ id }) => id))];
    const ballot = {
      configuration: this.voters.index,
      term: this.term,
      index: this.state.index,
      root: rootOf(this.state.tree),
    };
    const signatures = [...(signers ?? all)]
      .sort((a, b) => a - b)
      .map((member) => {
        const { sig } = castVote(GROUP.id, this.voters, member, ballot, memberKey(member));
        return { member, sig };
      });
    return { ...ballot, signatures, ...change };
  }
}

/** Payloads for a ledger: what was appended since `from`, then the certificate. */
export function payloads(log: TestLog, from = 0, certificate = log.certificate()): Uint8Array[] {
  return [
    ...log.entries.slice(from).map(({ entry }) => encodeLedgerRecord({ record: 'entry', entry })),
    encodeLedgerRecord({ record: 'certificate', certificate }),
  ];
}

/** An outcome in one word. */
export function word(outcome: Outcome): string {
  if (outcome.outcome === 'rejected') return outcome.reason;
  return outcome.outcome;
}
