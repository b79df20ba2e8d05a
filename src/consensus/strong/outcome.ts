/**
 * Outcomes as canonical data: they are hashed into the tree, so nothing in them is prose.
 * Leaves out how they come about (`evaluate.ts`).
 */
import {
  asArray,
  asBytes,
  asText,
  asUint,
  encodeCanonical,
  type Canonical,
} from '../../core/canonical.js';
import { idBytes, toHex } from '../../core/bytes.js';
import { hash } from '../../core/crypto.js';
import { WnError } from '../../core/errors.js';
import { asName, asNode, NODE_TYPES } from '../../core/op.js';
import { asValue } from '../../core/value.js';
import { asNodeType, asPath } from './actions.js';
import { decodeConfiguration, encodeConfiguration } from './configuration.js';
import type { Effect, Outcome, Reason, Winner } from './types.js';

/** Numbers of the kinds (format): the place in the list. */
const EFFECTS = [
  'set',
  'created',
  'deleted',
  'released',
  'claimed',
  'ended',
  'configured',
] as const satisfies readonly Effect['effect'][];

const REASONS: Readonly<Record<Reason, true>> = {
  malformed: true,
  time: true,
  type: true,
  signature: true,
  group: true,
  stale: true,
  ahead: true,
  forgotten: true,
  capability: true,
  right: true,
  home: true,
  index: true,
  value: true,
  owned: true,
  fenced: true,
  deleted: true,
  exists: true,
  claimed: true,
  unowned: true,
  owner: true,
  joint: true,
  member: true,
  full: true,
};

export function outcomeHash(outcome: Outcome): Uint8Array {
  return hash('wn/outcome/1', encodeCanonical(encodeOutcome(outcome)));
}

export function encodeOutcome(outcome: Outcome): Canonical {
  switch (outcome.outcome) {
    case 'accepted':
      return [0, outcome.effects.map(encodeEffect)];
    case 'rejected': {
      const { reason, winner } = outcome;
      return [1, reason, winner === null ? null : encodeWinner(winner)];
    }
    case 'repeat':
      return [2, outcome.first];
  }
}

/** Throws `invalid`. */
export function decodeOutcome(value: Canonical | undefined): Outcome {
  const parts = asArray(value, 'outcome');
  if (parts[0] === 0) {
    const effects = asArray(asArray(parts, 'acceptance', 2)[1], 'effects').map(decodeEffect);
    return { outcome: 'accepted', effects };
  }
  if (parts[0] === 1) {
    const [, reason, winner] = asArray(parts, 'rejection', 3);
    return {
      outcome: 'rejected',
      reason: asReason(reason),
      winner: winner === null ? null : decodeWinner(winner),
    };
  }
  if (parts[0] !== 2) throw new WnError('invalid', 'an outcome that nobody computes');
  return { outcome: 'repeat', first: asUint(asArray(parts, 'repeat', 2)[1], 'index') };
}

function asReason(value: Canonical | undefined): Reason {
  const reason = asText(value, 'reason');
  if (!Object.hasOwn(REASONS, reason)) {
    throw new WnError('invalid', 'a reason that nobody gives');
  }
  return reason as Reason;
}

export function encodeWinner({ index, author, value, timeMs }: Winner): Canonical {
  return [index, idBytes(author), value, timeMs];
}

/** Throws `invalid`. */
export function decodeWinner(value: Canonical | undefined): Winner {
  const [index, author, written, time] = asArray(value, 'winner', 4);
  return {
    index: asUint(index, 'index of the winner'),
    author: toHex(asBytes(author, 'author', 32)),
    value: asValue(written),
    timeMs: asUint(time, 'time of the winner'),
  };
}

function encodeEffect(effect: Effect): Canonical {
  const kind = EFFECTS.indexOf(effect.effect);
  switch (effect.effect) {
    case 'set': {
      const { node, path, type, value } = effect;
      return [kind, idBytes(node), path, type, ...(value === undefined ? [] : [value])];
    }
    case 'created': {
      const { node, parent, name, type } = effect;
      return [kind, idBytes(node), idBytes(parent), name, NODE_TYPES.indexOf(type)];
    }
    case 'deleted':
      return [kind, idBytes(effect.node)];
    case 'released':
      return [kind, idBytes(effect.node), effect.path];
    case 'claimed': {
      const { node, token, owner, leaseMs, renewal } = effect;
      return [kind, idBytes(node), token, idBytes(owner), leaseMs, renewal];
    }
    case 'ended':
      return [kind, idBytes(effect.node), effect.token];
    case 'configured':
      return [kind, encodeConfiguration(effect.configuration)];
  }
}

function decodeEffect(value: Canonical): Effect {
  const parts = asArray(value, 'effect');
  const effect = EFFECTS[asUint(parts[0], 'kind of effect')];
  switch (effect) {
    case 'set': {
      const isUnset = parts.length === 4;
      const [, node, path, type, written] = asArray(parts, 'write', isUnset ? 4 : 5);
      return {
        effect,
        node: asNode(node),
        path: asPath(path),
        type: asUint(type, 'type of field'),
        value: isUnset ? undefined : asValue(written),
      };
    }
    case 'created': {
      const [, node, parent, name, type] = asArray(parts, 'creation', 5);
      return {
        effect,
        node: asNode(node),
        parent: asNode(parent),
        name: asName(name),
        type: asNodeType(type),
      };
    }
    case 'deleted':
      return { effect, node: asNode(asArray(parts, 'deletion', 2)[1]) };
    case 'released': {
      const [, node, path] = asArray(parts, 'release', 3);
      return { effect, node: asNode(node), path: asPath(path) };
    }
    case 'claimed': {
      const [, node, token, owner, leaseMs, renewal] = asArray(parts, 'claim', 6);
      return {
        effect,
        node: asNode(node),
        token: asUint(token, 'token'),
        owner: toHex(asBytes(owner, 'owner', 32)),
        leaseMs: asUint(leaseMs, 'lease'),
        renewal: asUint(renewal, 'count of renewals'),
      };
    }
    case 'ended': {
      const [, node, token] = asArray(parts, 'end of a claim', 3);
      return { effect, node: asNode(node), token: asUint(token, 'token') };
    }
    case 'configured': {
      const [, configuration] = asArray(parts, 'configuration', 2);
      return { effect, configuration: decodeConfiguration(configuration) };
    }
    default:
      throw new WnError('invalid', 'an effect that nothing has');
  }
}
