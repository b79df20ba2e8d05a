/** Recorded editing sessions as ops of one document, without commits around them. */
import type { Head, Run, TextOp } from '../../../src/crdt/text/op.js';
import type { Trace, Transaction } from '../../support/traces.js';

/** In the order of agents: of two that insert in one place the lesser goes first. */
export function logOf(agent: number): string {
  return agent.toString(16).padStart(32, '0');
}

/** One op per transaction; without parents each is typed on the one before. */
export function opsOf(trace: Trace): TextOp[] {
  const ops: TextOp[] = [];
  const headOf = (txn: number): Head => ops[txn]!;
  trace.txns.forEach((txn, i) => {
    const { parents, agent = 0 } = txn;
    ops.push({
      log: logOf(agent),
      seq: i,
      index: 0,
      base: (parents ?? (i === 0 ? [] : [i - 1]))
        .map(headOf)
        .map(({ log, seq, index }) => ({ log, seq, index })),
      runs: runsOf(txn),
      live: true,
    });
  });
  return ops;
}

/** Deletions and insertions in the order they were made. */
export function runsOf({ patches }: Transaction): readonly Run[] {
  return patches.flatMap(([pos, deleted, inserted]): Run[] => [
    ...(deleted > 0 ? [[pos, deleted] as const] : []),
    ...(inserted === '' ? [] : [[pos, inserted] as const]),
  ]);
}
