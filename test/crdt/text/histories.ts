/**
 * Random histories of four devices that edit one document, fork and merge; and random causal
 * orders to receive them in. Made of plain steps, so that fast-check can shrink them.
 */
import fc from 'fast-check';
import { keyOf, NaiveText } from './naive.js';
import type { Head, Run, TextOp } from '../../../src/crdt/text/op.js';

export const FUZZ_RUNS = Number(process.env['FUZZ'] ?? 40);

// Not in the order of the devices, so that ties aren't broken by who acts first.
const LOGS = ['c', '3', 'f', 'a'].map((digit) => digit.repeat(32));
const DEVICES = LOGS.length;

const TEXTS = ['a', 'bc', 'def', '\n', '漢字', '🙂', '👩‍👩‍👧', 'é', '🇩🇪', 'x y', '\r\n'];

interface Step {
  readonly device: number;
  readonly action: Action;
  readonly a: number;
  readonly b: number;
  readonly text: string;
}

type Action =
  | 'insert'
  | 'delete'
  | 'replace'
  | 'sync'
  | 'continue'
  | 'stale'
  | 'malformed'
  | 'unknownBase'
  | 'wideBase'
  | 'empty'
  | 'tombstones';

const ALWAYS: readonly Action[] = ['insert', 'insert', 'delete', 'replace', 'sync', 'sync'];
const SOMETIMES: readonly Action[] = [
  'continue',
  'stale',
  'malformed',
  'unknownBase',
  'wideBase',
  'empty',
];

export interface History {
  /** In the order in which they were written. */
  readonly ops: readonly TextOp[];
  readonly model: NaiveText;
}

export interface HistoryOptions {
  /** Some ops are dead, and some count tombstones. */
  readonly dead: boolean;
}

export function histories({ dead }: HistoryOptions): fc.Arbitrary<History> {
  const actions: Action[] = [...ALWAYS, ...ALWAYS, ...SOMETIMES];
  if (dead) actions.push('tombstones', 'tombstones');
  const step = fc.record<Step>({
    device: fc.nat(DEVICES - 1),
    action: fc.constantFrom(...actions),
    a: fc.nat(999),
    b: fc.nat(999),
    text: fc.constantFrom(...TEXTS),
  });
  const steps = fc.array(step, { minLength: 2, maxLength: 40, size: 'max' });
  const deaths = fc.array(fc.nat(5), { minLength: 40, maxLength: 40 });
  return fc
    .tuple(steps, deaths)
    .map(([taken, deathOf]) => play(taken, (op) => !dead || deathOf[op % 40] !== 0));
}

/** An order in which each op comes after its base and after its log's earlier ops. */
export function arrivals({ ops }: History, picks: readonly number[]): TextOp[] {
  const waiting = [...ops];
  const order: TextOp[] = [];
  const arrived = new Set<string>();
  const written = new Set(ops.map(keyOf));
  while (waiting.length > 0) {
    const logs = new Set<string>();
    const ready = waiting.filter((op) => {
      const isFirst = !logs.has(op.log);
      logs.add(op.log);
      const missing = (head: Head) => written.has(keyOf(head)) && !arrived.has(keyOf(head));
      return isFirst && !op.base.some(missing);
    });
    const pick = picks[order.length % Math.max(1, picks.length)] ?? 0;
    const op = ready[pick % ready.length]!;
    waiting.splice(waiting.indexOf(op), 1);
    arrived.add(keyOf(op));
    order.push(op);
  }
  return order;
}

/** Ops of these that none of the others has in its past. */
export function headsOf(ops: readonly TextOp[]): TextOp[] {
  const based = new Set(ops.flatMap((op) => op.base.map(keyOf)));
  return ops.filter((op) => !based.has(keyOf(op)));
}

function play(steps: readonly Step[], isLive: (op: number) => boolean): History {
  const model = new NaiveText();
  const ops: TextOp[] = [];
  // What each device knows, and the heads that it had before.
  const known = LOGS.map(() => new Set<string>());
  const stale: (readonly Head[])[] = LOGS.map(() => []);
  const headsAt = (device: number) => {
    const keys = known[device]!;
    const based = new Set(
      ops.filter((op) => keys.has(keyOf(op))).flatMap((op) => [...model.past(op.base)]),
    );
    return ops.filter((op) => keys.has(keyOf(op)) && !based.has(keyOf(op)));
  };
  for (const step of steps) {
    if (step.action === 'sync') {
      for (const key of known[step.a % DEVICES]!) known[step.device]!.add(key);
      continue;
    }
    const heads = headsAt(step.device);
    const op = draft(step, heads, stale[step.device]!, model, ops, isLive(ops.length));
    if (step.b % 3 === 0) stale[step.device] = heads;
    model.add(op);
    ops.push(op);
    known[step.device]!.add(keyOf(op));
  }
  return { ops, model };
}

function draft(
  { device, action, a, b, text }: Step,
  heads: readonly TextOp[],
  stale: readonly Head[],
  model: NaiveText,
  ops: readonly TextOp[],
  live: boolean,
): TextOp {
  const log = LOGS[device]!;
  const own = ops.filter((op) => op.log === log).at(-1);
  const isNewCommit = own === undefined || action !== 'continue';
  const name = {
    log,
    seq: isNewCommit ? (own?.seq ?? 0) + 1 : own.seq,
    index: isNewCommit ? a % 2 : own.index + 1,
  };
  let base = (action === 'stale' ? stale : heads).map(({ log, seq, index }) => ({
    log,
    seq,
    index,
  }));
  if (action === 'unknownBase') base = [...base, { log, seq: 9_999, index: 0 }];
  if (action === 'wideBase') base = [...base, ...heads.flatMap((head) => head.base)];
  const tombstones = action === 'tombstones';
  const length = model.length(model.past(base), tombstones);
  const runs = runsOf(action, a, b, text, length);
  return { ...name, base, runs, live, ...(tombstones ? { tombstones } : {}) };
}

function runsOf(action: Action, a: number, b: number, text: string, length: number): Run[] {
  const at = a % (length + 1);
  const count = Math.min(1 + (b % 4), length - at);
  const size = [...text].length;
  if (action === 'empty') return [];
  if (action === 'malformed') {
    const grown = length + size;
    const kinds: Run[] = [
      [grown + 1, text],
      [0, grown + 1],
      [grown, 1],
      [0, ''],
      [0, 0],
      [-1, text],
    ];
    return [[at, text], kinds[b % kinds.length]!];
  }
  if (action === 'insert' || count === 0)
    return b % 4 === 0
      ? [
          [at, text],
          [at + size, 'q'],
        ]
      : [[at, text]];
  if (action === 'delete') return [[at, count]];
  return [
    [at, count],
    [at, text],
  ];
}
