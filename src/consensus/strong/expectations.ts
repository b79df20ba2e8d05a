/**
 * What a request rests on: compared with the state before it, whole. A failed one says who
 * was first.
 */
import { claimant } from './claims.js';
import type { Expectation } from './types.js';
import {
  keptValue,
  nodeOf,
  ownedField,
  reject,
  sameValue,
  winnerOf,
  type Nodes,
  type Rejection,
} from './worknodes.js';

/** The first that doesn't hold; null if all do. */
export function failedExpectation(nodes: Nodes, expects: readonly Expectation[]): Rejection | null {
  for (const expectation of expects) {
    const failed = failure(nodes, expectation);
    if (failed !== null) return failed;
  }
  return null;
}

function failure(nodes: Nodes, expectation: Expectation): Rejection | null {
  const { deleted, claim } = nodeOf(nodes, expectation.node);
  if (deleted !== null) return reject('deleted', deleted);
  if (expectation.expect === 'token') {
    return claim?.token === expectation.token ? null : reject('fenced', claimant(claim));
  }
  const last = ownedField(nodes, expectation.node, expectation.path);
  const winner = last === null ? null : winnerOf(last);
  const owned = last?.released === false ? last : null;
  switch (expectation.expect) {
    case 'unowned':
      return owned === null ? null : reject('owned', winner);
    case 'index':
      return owned?.index === expectation.index ? null : reject('index', winner);
    case 'value': {
      const holds = owned !== null && sameValue(owned.value, keptValue(expectation.value));
      return holds ? null : reject('value', winner);
    }
  }
}
