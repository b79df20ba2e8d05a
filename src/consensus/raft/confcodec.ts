/** The data of an entry that changes the configuration: CBOR `[transition, [[type, id]…], context]`. */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
} from '../../core/canonical.js';
import { WnError } from '../../core/errors.js';
import { RAFT_CONF_CHANGES_MAX } from '../../core/limits.js';
import { NO_BYTES } from './messages.js';
import type { ConfChange, ConfChangeSingle } from './types.js';

const TRANSITIONS = ['auto', 'implicit', 'explicit'] as const;
const TYPES = ['voter', 'learner', 'remove', 'update'] as const;

/** Leaves a joint configuration; encoded as no bytes, so that no bound on sizes refuses it. */
export const LEAVE_JOINT: ConfChange = { transition: 'auto', changes: [], context: NO_BYTES };

/** Throws `WnError('invalid')` for more than `RAFT_CONF_CHANGES_MAX` changes at once. */
export function encodeConfChange(change: ConfChange): Uint8Array {
  checkCount(change.changes);
  if (change.transition === 'auto' && change.changes.length + change.context.byteLength === 0) {
    return NO_BYTES;
  }
  const changes = change.changes.map(({ type, id }) => [TYPES.indexOf(type), id]);
  return encodeCanonical([TRANSITIONS.indexOf(change.transition), changes, change.context]);
}

/** Throws `WnError('invalid')` for anything that `encodeConfChange` doesn't make. */
export function decodeConfChange(data: Uint8Array): ConfChange {
  if (data.byteLength === 0) return LEAVE_JOINT;
  const [transition, changes, context] = asArray(decodeCanonical(data), 'a change', 3);
  const list = asArray(changes, 'changes of a configuration');
  checkCount(list);
  return {
    transition: named(TRANSITIONS, asUint(transition, 'a transition')),
    changes: list.map((item): ConfChangeSingle => {
      const [type, id] = asArray(item, 'a change of one member', 2);
      return { type: named(TYPES, asUint(type, 'a kind of change')), id: asUint(id, 'a member') };
    }),
    context: asBytes(context, 'context of a change'),
  };
}

function checkCount({ length }: readonly unknown[]): void {
  if (length <= RAFT_CONF_CHANGES_MAX) return;
  throw new WnError('invalid', `${length} changes at once, over ${RAFT_CONF_CHANGES_MAX}`);
}

function named<T>(names: readonly T[], at: number): T {
  const name = names[at];
  if (name === undefined) throw new WnError('invalid', 'a change of a kind not known here');
  return name;
}
