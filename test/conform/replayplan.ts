/**
 * Who types what, and who must have heard of what before, so that a recorded session comes
 * about once more on devices of which each knows no more than its person did.
 */
import type { Transaction } from '../support/traces.js';

/** What one device typed without hearing or being heard: one commit. */
export interface Stretch {
  readonly device: number;
  /** Indexes of its transactions. */
  readonly members: readonly number[];
  readonly last: number;
  /** How many heads the document has when it begins. */
  readonly heads: number;
  /** Transactions of others, whose state as of then arrives before it. */
  readonly hears: readonly number[];
  /** Devices that will have to hear of its last transaction. */
  readonly tells: readonly number[];
}

export interface Plan {
  /** Whose each device is. */
  readonly agents: readonly number[];
  readonly stretches: readonly Stretch[];
}

/** For each device the last of its transactions in some past; -1 or absent: none. */
type Known = readonly number[];

/** `typedAtOnce`: a stretch has at most so many transactions. */
export function planOf(txns: readonly Transaction[], typedAtOnce: number): Plan {
  const { agents, deviceOf, pasts } = assign(txns);
  const knownAfter = (at: number): Known => withKnown(pasts[at] ?? [], deviceOf[at] ?? 0, at);
  const hears = txns.map((): number[] => []);
  const tells = txns.map((): number[] => []);
  const lastOf = new Map<number, number>();
  for (const [at, device] of deviceOf.entries()) {
    const last = lastOf.get(device);
    let known: Known = last === undefined ? [] : knownAfter(last);
    for (const parent of parentsOf(txns, at)) {
      if ((known[deviceOf[parent] ?? 0] ?? -1) >= parent) continue;
      hears[at]?.push(parent);
      if (tells[parent]?.includes(device) === false) tells[parent].push(device);
      known = united(known, knownAfter(parent));
    }
    lastOf.set(device, at);
  }
  return { agents, stretches: stretchesOf(txns, deviceOf, hears, tells, typedAtOnce) };
}

function parentsOf(txns: readonly Transaction[], at: number): readonly number[] {
  return txns[at]?.parents ?? (at === 0 ? [] : [at - 1]);
}

interface Assigned {
  readonly agents: readonly number[];
  readonly deviceOf: readonly number[];
  /** What each transaction's author had seen; arrays are shared where nothing new was heard. */
  readonly pasts: readonly Known[];
}

/**
 * A device types one thing after the other. An agent that didn't (it forked) gets one more
 * device for what was typed beside its last.
 */
function assign(txns: readonly Transaction[]): Assigned {
  const agents: number[] = [];
  const lastOf: number[] = [];
  const deviceOf: number[] = [];
  const pasts: Known[] = [];
  for (const [at, { agent = 0 }] of txns.entries()) {
    const past = parentsOf(txns, at).reduce<Known>(
      (all, parent) => united(all, withKnown(pasts[parent] ?? [], deviceOf[parent] ?? 0, parent)),
      [],
    );
    const fits = (of: number, index: number): boolean =>
      of === agent && (past[index] ?? -1) === lastOf[index];
    const found = agents.findIndex(fits);
    const device = found < 0 ? agents.push(agent) - 1 : found;
    lastOf[device] = at;
    deviceOf.push(device);
    pasts.push(past);
  }
  return { agents, deviceOf, pasts };
}

function withKnown(known: Known, device: number, at: number): Known {
  const next = [...known];
  next[device] = at;
  return next;
}

function united(a: Known, b: Known): Known {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, index) => Math.max(a[index] ?? -1, b[index] ?? -1));
}

function stretchesOf(
  txns: readonly Transaction[],
  deviceOf: readonly number[],
  hears: readonly (readonly number[])[],
  tells: readonly (readonly number[])[],
  typedAtOnce: number,
): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let from = 0;
  for (const at of txns.keys()) {
    const isLast =
      at - from + 1 === typedAtOnce ||
      at + 1 === txns.length ||
      deviceOf[at + 1] !== deviceOf[at] ||
      tells[at]?.length !== 0 ||
      hears[at + 1]?.length !== 0;
    if (!isLast) continue;
    stretches.push({
      device: deviceOf[at] ?? 0,
      members: Array.from({ length: at + 1 - from }, (_, index) => from + index),
      last: at,
      heads: parentsOf(txns, from).length,
      hears: hears[from] ?? [],
      tells: tells[at] ?? [],
    });
    from = at + 1;
  }
  return stretches;
}
