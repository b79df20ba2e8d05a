/**
 * What a request asks and expects, as canonical data (docs/CONSENSUS.md, section 2). Every
 * bound that needs no state is held here. Leaves out what they mean.
 */
import { asArray, asBytes, asUint, type Canonical } from '../../core/canonical.js';
import { idBytes, utf8 } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import {
  CAP_DEPTH_MAX,
  STRONG_CANDIDATES_MAX,
  STRONG_LEASE_MS_MAX,
  STRONG_LEASE_MS_MIN,
  STRONG_MEMBERS_MAX,
  STRONG_PATH_BYTES_MAX,
} from '../../core/limits.js';
import { asFieldPath, asName, asNode, NODE_TYPES, type FieldPath } from '../../core/op.js';
import { asValue } from '../../core/value.js';
import { decodeMember, encodeMember } from './configuration.js';
import type { Action, CarriedBytes, Change, Expectation } from './types.js';

/** Numbers of the kinds (format): the place in the list. */
const ACTIONS = [
  'set',
  'create',
  'delete',
  'release',
  'claim',
  'renew',
  'unclaim',
  'expire',
  'configure',
] as const satisfies readonly Action['action'][];
const EXPECTS = [
  'index',
  'value',
  'unowned',
  'token',
] as const satisfies readonly Expectation['expect'][];
const CHANGES = ['add', 'promote', 'remove'] as const satisfies readonly Change['change'][];

export function encodeAction(action: Action): Canonical {
  const kind = ACTIONS.indexOf(action.action);
  switch (action.action) {
    case 'set': {
      const { node, path, type, value } = action;
      return [kind, idBytes(node), path, type, ...(value === undefined ? [] : [value])];
    }
    case 'create':
      return [kind, idBytes(action.parent), action.name, NODE_TYPES.indexOf(action.type)];
    case 'delete':
      return [kind, idBytes(action.node)];
    case 'release':
      return [kind, idBytes(action.node), action.path];
    case 'claim':
      return [kind, action.nodes.map(idBytes), action.leaseMs];
    case 'renew':
      return [kind, idBytes(action.node), action.token, action.leaseMs];
    case 'unclaim':
      return [kind, idBytes(action.node), action.token];
    case 'expire':
      return [kind, idBytes(action.node), action.token, action.renewal];
    case 'configure':
      return [kind, action.changes.map(encodeChange)];
  }
}

/** Throws `invalid`. */
export function decodeAction(value: Canonical): Action {
  const parts = asArray(value, 'action');
  const action = ACTIONS[asUint(parts[0], 'kind of action')];
  switch (action) {
    case 'set': {
      const [, node, path, type, written] = withOptional(parts, 'write', 4);
      return {
        action,
        node: asNode(node),
        path: asPath(path),
        type: asUint(type, 'type of field'),
        value: parts.length === 5 ? asValue(written) : undefined,
      };
    }
    case 'create': {
      const [, parent, name, type] = asArray(parts, 'create', 4);
      return { action, parent: asNode(parent), name: asName(name), type: asNodeType(type) };
    }
    case 'delete':
      return { action, node: asNode(asArray(parts, 'delete', 2)[1]) };
    case 'release': {
      const [, node, path] = asArray(parts, 'release', 3);
      return { action, node: asNode(node), path: asPath(path) };
    }
    case 'claim': {
      const [, nodes, leaseMs] = asArray(parts, 'claim', 3);
      const candidates = asArray(nodes, 'candidates');
      if (candidates.length === 0 || candidates.length > STRONG_CANDIDATES_MAX) {
        throw new WnError('invalid', `a claim with ${candidates.length} candidates`);
      }
      return { action, nodes: candidates.map(asNode), leaseMs: asLease(leaseMs) };
    }
    case 'renew': {
      const [, node, token, leaseMs] = asArray(parts, 'renewal', 4);
      return {
        action,
        node: asNode(node),
        token: asUint(token, 'token'),
        leaseMs: asLease(leaseMs),
      };
    }
    case 'unclaim': {
      const [, node, token] = asArray(parts, 'end of a claim', 3);
      return { action, node: asNode(node), token: asUint(token, 'token') };
    }
    case 'expire': {
      const [, node, token, renewal] = asArray(parts, 'expiry', 4);
      const count = asUint(renewal, 'count of renewals');
      return { action, node: asNode(node), token: asUint(token, 'token'), renewal: count };
    }
    case 'configure': {
      const changes = asArray(asArray(parts, 'change of the configuration', 2)[1], 'changes');
      if (changes.length === 0 || changes.length > 2 * STRONG_MEMBERS_MAX) {
        throw new WnError('invalid', `${changes.length} changes of the configuration`);
      }
      return { action, changes: changes.map(decodeChange) };
    }
    default:
      throw new WnError('invalid', 'an action that nobody makes');
  }
}

export function encodeExpectation(expectation: Expectation): Canonical {
  const kind = EXPECTS.indexOf(expectation.expect);
  const node = idBytes(expectation.node);
  switch (expectation.expect) {
    case 'index':
      return [kind, node, expectation.path, expectation.index];
    case 'value': {
      const { path, value } = expectation;
      return [kind, node, path, ...(value === undefined ? [] : [value])];
    }
    case 'unowned':
      return [kind, node, expectation.path];
    case 'token':
      return [kind, node, expectation.token];
  }
}

/** Throws `invalid`. */
export function decodeExpectation(value: Canonical): Expectation {
  const parts = asArray(value, 'expectation');
  const expect = EXPECTS[asUint(parts[0], 'kind of expectation')];
  switch (expect) {
    case 'index': {
      const [, node, path, index] = asArray(parts, 'expectation', 4);
      return { expect, node: asNode(node), path: asPath(path), index: asUint(index, 'index') };
    }
    case 'value': {
      const [, node, path, expected] = withOptional(parts, 'expectation', 3);
      const whole = parts.length === 4 ? asValue(expected) : undefined;
      return { expect, node: asNode(node), path: asPath(path), value: whole };
    }
    case 'unowned': {
      const [, node, path] = asArray(parts, 'expectation', 3);
      return { expect, node: asNode(node), path: asPath(path) };
    }
    case 'token': {
      const [, node, token] = asArray(parts, 'expectation', 3);
      return { expect, node: asNode(node), token: asUint(token, 'token') };
    }
    default:
      throw new WnError('invalid', 'an expectation that nobody has');
  }
}

function encodeChange(change: Change): Canonical {
  const kind = CHANGES.indexOf(change.change);
  if (change.change !== 'add') return [kind, change.id];
  return [kind, encodeMember(change.member), encodeCaps(change.caps)];
}

function decodeChange(value: Canonical): Change {
  const parts = asArray(value, 'change of the configuration');
  const change = CHANGES[asUint(parts[0], 'kind of change')];
  if (change === undefined) throw new WnError('invalid', 'a change that nobody makes');
  if (change !== 'add') {
    return { change, id: asUint(asArray(parts, 'change', 2)[1], 'id of a member') };
  }
  const [, member, caps] = asArray(parts, 'new member', 3);
  return { change, member: decodeMember(member), caps: decodeCaps(caps) };
}

export function encodeCaps(caps: readonly CarriedBytes[]): Canonical {
  return caps.map(({ cap, sig }) => [cap, sig]);
}

/** A chain without its root, unread. Throws `invalid`. */
export function decodeCaps(value: Canonical | undefined): readonly CarriedBytes[] {
  const links = asArray(value, 'capabilities');
  if (links.length > CAP_DEPTH_MAX) throw new WnError('invalid', 'too many capabilities');
  return links.map((link) => {
    const [cap, sig] = asArray(link, 'signed capability', 2);
    return { cap: asBytes(cap, 'capability'), sig: asBytes(sig, 'signature', 64) };
  });
}

/** `length` parts, or one more. */
function withOptional(
  parts: readonly Canonical[],
  what: string,
  length: number,
): readonly Canonical[] {
  return asArray(parts, what, parts.length === length + 1 ? length + 1 : length);
}

export function asNodeType(value: Canonical | undefined): (typeof NODE_TYPES)[number] {
  const type = NODE_TYPES[asUint(value, 'type of worknode')];
  if (type === undefined) throw new WnError('invalid', 'a type of worknode that nobody makes');
  return type;
}

/** A field's path of bounded size: the evaluation keeps it. */
export function asPath(value: Canonical | undefined): FieldPath {
  const path = asFieldPath(value);
  let units = 0;
  for (const part of path) units += typeof part === 'string' ? part.length : 0;
  // A UTF-16 unit has at most three bytes: short paths, that is nearly all, need no count.
  if (units * 3 > STRONG_PATH_BYTES_MAX) {
    const bytes = path.map((part) => (typeof part === 'string' ? utf8(part).byteLength : 0));
    if (bytes.reduce((sum, length) => sum + length, 0) > STRONG_PATH_BYTES_MAX) {
      throw new WnError('invalid', 'a field path over its bound');
    }
  }
  return path;
}

function asLease(value: Canonical | undefined): number {
  const leaseMs = asUint(value, 'lease');
  if (leaseMs < STRONG_LEASE_MS_MIN || leaseMs > STRONG_LEASE_MS_MAX) {
    throw new WnError('invalid', `a lease of ${leaseMs} ms`);
  }
  return leaseMs;
}
