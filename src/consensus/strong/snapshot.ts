/**
 * A whole state as bytes, and back: framed records (`core/frame.ts`), a header first, then
 * worknodes by id, answers by age, floors by author. Equal states have equal bytes. Leaves
 * out where they stand; whoever takes one from elsewhere compares its tree with a
 * certificate, and knows by it no more than that.
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { concat, equalBytes, fromHex, idBytes, toHex } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import { encodeRecord, readRecord } from '../../core/frame.js';
import { FRAME_BYTES_MAX } from '../../core/limits.js';
import { asNode } from '../../core/op.js';
import { asPath } from './actions.js';
import { inOrder, memoryOf } from './answered.js';
import { decodeConfiguration, encodeConfiguration } from './configuration.js';
import { HASH_BYTES } from './merkle.js';
import { decodeWinner, encodeWinner } from './outcome.js';
import { Trie } from './trie.js';
import type { Answered, Claim, KeptValue, NodeState, Owned, StrongState } from './state.js';
import type { Group } from './types.js';
import { fieldKey } from './worknodes.js';

const VERSION = 1;

export function encodeState(state: StrongState): Uint8Array {
  const records: Uint8Array[] = [];
  const add = (value: Canonical): void => void records.push(encodeRecord(encodeCanonical(value)));
  add(encodeHeader(state));
  for (const [id, node] of state.nodes.entries()) add(encodeNode(id, node));
  for (const item of inOrder(state.remembered)) add(encodeAnswered(item));
  for (const [author, hlcMs] of state.floors.entries()) add([idBytes(author), hlcMs]);
  return concat(records);
}

/** Throws `invalid` for anything but a whole state of this group. */
export function decodeState(bytes: Uint8Array, group: Group): StrongState {
  let at = 0;
  const next = (): Canonical => {
    const record = readRecord(bytes, at);
    if (!record.ok) throw new WnError('invalid', 'a state that is cut short or damaged');
    at = record.next;
    return decodeCanonical(record.payload, FRAME_BYTES_MAX);
  };
  const { head, counts } = decodeHeader(next(), group);
  let nodes = Trie.empty<NodeState>();
  for (let left = counts.nodes; left > 0; left--) {
    const [id, node] = decodeNode(next());
    nodes = nodes.with(id, node);
  }
  const items: Answered[] = [];
  for (let left = counts.answered; left > 0; left--) items.push(decodeAnswered(next()));
  let floors = Trie.empty<number>();
  for (let left = counts.floors; left > 0; left--) {
    const [author, hlcMs] = asArray(next(), 'floor', 2);
    floors = floors.with(toHex(asBytes(author, 'author', 32)), asUint(hlcMs, 'floor'));
  }
  if (at !== bytes.byteLength) throw new WnError('invalid', 'bytes behind a state');
  const state = { group, ...head, nodes, ...memoryOf(items, floors) };
  if (!equalBytes(encodeState(state), bytes)) {
    throw new WnError('invalid', 'a state in another order than its own');
  }
  return state;
}

function encodeHeader(state: StrongState): Canonical {
  return [
    VERSION,
    idBytes(state.group.id),
    state.index,
    state.term,
    state.entryHash,
    state.timeMs,
    state.tree.peaks,
    encodeConfiguration(state.configuration),
    state.configurations,
    state.nextMember,
    [state.nodes.size, state.answered.size, state.floors.size],
  ];
}

type Head = Omit<StrongState, 'group' | 'nodes' | 'answered' | 'remembered' | 'floors'>;

function decodeHeader(
  value: Canonical,
  group: Group,
): {
  readonly head: Head;
  readonly counts: {
    readonly nodes: number;
    readonly answered: number;
    readonly floors: number;
  };
} {
  const [version, id, index, term, hash, time, peaks, configuration, indexes, member, counts] =
    asArray(value, 'state', 11);
  if (version !== VERSION || toHex(asBytes(id, 'group', 32)) !== group.id) {
    throw new WnError('invalid', 'a state of another version or group');
  }
  const size = asUint(index, 'index');
  const [nodes, answered, floors] = asArray(counts, 'counts', 3);
  const head = {
    index: size,
    term: asUint(term, 'term'),
    entryHash: asBytes(hash, 'hash of the last entry', HASH_BYTES),
    timeMs: asUint(time, 'time'),
    tree: { size, peaks: asPeaks(peaks, size) },
    configuration: decodeConfiguration(configuration),
    configurations: asArray(indexes, 'configurations').map((one) => asUint(one, 'index')),
    nextMember: asUint(member, 'id of the next member'),
  };
  return {
    head,
    counts: {
      nodes: asUint(nodes, 'count'),
      answered: asUint(answered, 'count'),
      floors: asUint(floors, 'count'),
    },
  };
}

/** One for each bit of the size. */
function asPeaks(value: Canonical | undefined, size: number): readonly Uint8Array[] {
  const peaks = asArray(value, 'tree').map((peak) => asBytes(peak, 'subtree', HASH_BYTES));
  const bits = [...size.toString(2)].filter((bit) => bit === '1').length;
  if (peaks.length !== bits) throw new WnError('invalid', 'a tree of another size');
  return peaks;
}

function encodeNode(id: string, { created, deleted, fields, claim }: NodeState): Canonical {
  const byKey = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    idBytes(id),
    created,
    deleted === null ? null : encodeWinner(deleted),
    byKey.map(([, owned]) => encodeOwned(owned)),
    claim === null ? null : encodeClaim(claim),
  ];
}

function decodeNode(value: Canonical): readonly [string, NodeState] {
  const [id, created, deleted, fields, claim] = asArray(value, 'worknode', 5);
  const owned = asArray(fields, 'fields').map(decodeOwned);
  return [
    asNode(id),
    {
      created: created === null ? null : asUint(created, 'index of a create'),
      deleted: deleted === null ? null : decodeWinner(deleted),
      fields: new Map(owned.map((field) => [fieldKey(field.path), field])),
      claim: claim === null ? null : decodeClaim(claim),
    },
  ];
}

function encodeOwned({ path, type, value, index, author, timeMs, released }: Owned): Canonical {
  return [path, type, encodeKept(value), index, idBytes(author), timeMs, released];
}

function decodeOwned(value: Canonical): Owned {
  const [path, type, kept, index, author, time, released] = asArray(value, 'field', 7);
  return {
    path: asPath(path),
    type: asUint(type, 'type of field'),
    value: decodeKept(kept),
    index: asUint(index, 'index of a write'),
    author: toHex(asBytes(author, 'author', 32)),
    timeMs: asUint(time, 'time of a write'),
    released: released === true,
  };
}

function encodeKept(value: KeptValue): Canonical {
  if (value.kept === 'unset') return [];
  return value.kept === 'whole' ? [0, value.value] : [1, value.hash];
}

function decodeKept(value: Canonical | undefined): KeptValue {
  const parts = asArray(value, 'value');
  if (parts.length === 0) return { kept: 'unset' };
  const [kind, kept] = asArray(parts, 'value', 2);
  if (kind === 1) return { kept: 'hash', hash: asBytes(kept, 'hash of a value', HASH_BYTES) };
  return { kept: 'whole', value: kept ?? null };
}

function encodeClaim({ token, owner, leaseMs, renewal, timeMs }: Claim): Canonical {
  return [token, idBytes(owner), leaseMs, renewal, timeMs];
}

function decodeClaim(value: Canonical | undefined): Claim {
  const [token, owner, lease, renewal, time] = asArray(value, 'claim', 5);
  return {
    token: asUint(token, 'token'),
    owner: toHex(asBytes(owner, 'owner', 32)),
    leaseMs: asUint(lease, 'lease'),
    renewal: asUint(renewal, 'count of renewals'),
    timeMs: asUint(time, 'time of a claim'),
  };
}

function encodeAnswered({ key, index, timeMs, author, hlcMs }: Answered): Canonical {
  return [fromHex(key), index, timeMs, idBytes(author), hlcMs];
}

function decodeAnswered(value: Canonical): Answered {
  const [key, index, time, author, stampMs] = asArray(value, 'answer', 5);
  return {
    key: toHex(asBytes(key, 'id of a request', 32)),
    index: asUint(index, 'index of an answer'),
    timeMs: asUint(time, 'time of an answer'),
    author: toHex(asBytes(author, 'author', 32)),
    hlcMs: asUint(stampMs, 'stamp of a request'),
  };
}
