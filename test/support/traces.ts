/**
 * Recorded editing sessions that nobody here wrote (josephg/editing-traces, CC BY 4.0). They
 * aren't part of the project: a test that finds none skips and says so.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const DATA = new URL('../../../shared/data/editing-traces/', import.meta.url);
const ENDING = '.json.gz';

export type Patch = readonly [pos: number, deleted: number, inserted: string];

export interface Transaction {
  /** Indexes of transactions; absent where each is typed on the one before. */
  readonly parents?: readonly number[];
  readonly agent?: number;
  readonly patches: readonly Patch[];
}

export interface Trace {
  readonly endContent: string;
  readonly txns: readonly Transaction[];
}

/** Names of the traces of this machine. */
export function traceNames(): readonly string[] {
  if (!existsSync(DATA)) return [];
  const files = readdirSync(DATA).filter((name) => name.endsWith(ENDING));
  return files.map((name) => name.slice(0, -ENDING.length)).sort();
}

/** What it begins with becomes its first transaction. */
export function loadTrace(name: string): Trace {
  const packed = readFileSync(new URL(`${name}${ENDING}`, DATA));
  const { startContent = '', ...trace } = JSON.parse(
    gunzipSync(packed).toString('utf8'),
  ) as Trace & {
    readonly startContent?: string;
  };
  if (startContent === '') return trace;
  const begun = trace.txns.map((txn) =>
    txn.parents === undefined ? txn : { ...txn, parents: afterFirst(txn.parents) },
  );
  const first = { ...begun[0], parents: [], patches: [[0, 0, startContent]] as const };
  return { ...trace, txns: [first, ...begun] };
}

function afterFirst(parents: readonly number[]): readonly number[] {
  return parents.length === 0 ? [0] : parents.map((parent) => parent + 1);
}

/** Whether several people typed at once. */
export function isConcurrent({ txns }: Trace): boolean {
  return txns.some(({ parents, agent = 0 }, at) => {
    const [parent, other] = parents ?? [];
    return (
      agent !== 0 || other !== undefined || (parents !== undefined && parent !== at - 1 && at > 0)
    );
  });
}
