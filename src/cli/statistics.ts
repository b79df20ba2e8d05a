/** Counts of what a repository holds. Reads every commit's and worknode's record once. */
import type { Storage } from '../core/ports.js';
import type { NodeType } from '../core/op.js';
import { decodeNode } from '../repo/fold/node.js';
import { key } from '../repo/index/tables.js';
import type { Replica } from '../repo/replica.js';

export interface Stats {
  /** Those that are folded. */
  readonly commits: number;
  readonly pending: number;
  readonly held: number;
  /** Local: of this device. Eventual: of others. Strong: through the consensus group. */
  readonly ops: { readonly local: number; readonly eventual: number; readonly strong: number };
  readonly logs: number;
  /** That have written. */
  readonly devices: number;
  readonly worknodes: Worknodes;
  readonly conflicts: number;
  readonly bytes: {
    readonly logs: number;
    readonly blobs: number;
    readonly index: number;
    readonly tree: number;
  };
}

interface Worknodes {
  readonly files: number;
  readonly folders: number;
  readonly symlinks: number;
  /** Deleted ones; their history stays. */
  readonly hidden: number;
}

export async function collectStats(replica: Replica): Promise<Stats> {
  const { view } = replica;
  const { storage } = replica.ports;
  return {
    ...countCommits(replica),
    ...view.waiting(),
    worknodes: countWorknodes(replica),
    conflicts: view.conflictCount(),
    bytes: {
      logs: await bytesBelow(storage, 'logs'),
      blobs: await bytesBelow(storage, 'blobs'),
      index: await bytesBelow(storage, 'index'),
      tree: await bytesBelow(storage, 'tree'),
    },
  };
}

function countCommits({
  history,
  device,
}: Replica): Pick<Stats, 'commits' | 'ops' | 'logs' | 'devices'> {
  const devices = new Set<string>();
  let [commits, local, eventual, logs] = [0, 0, 0, 0];
  for (const log of history.allLogs()) {
    logs += 1;
    devices.add(log.dev);
    for (const [, record] of history.records(history.logIdOf(log), log.firstSeq, log.folded)) {
      commits += 1;
      if (log.dev === device) local += record.ops;
      else eventual += record.ops;
    }
  }
  return { commits, ops: { local, eventual, strong: 0 }, logs, devices: devices.size };
}

const COUNTED = { file: 'files', folder: 'folders', symlink: 'symlinks' } as const satisfies Record<
  NodeType,
  keyof Worknodes
>;

function countWorknodes({ tables, root }: Replica): Worknodes {
  const counts = { files: 0, folders: 0, symlinks: 0, hidden: 0 };
  for (const [at, bytes] of tables.prefix(key.table('node'))) {
    if (at.slice(2) === root) continue;
    const { created, shown } = decodeNode(bytes);
    counts[shown ? COUNTED[created?.type ?? 'file'] : 'hidden'] += 1;
  }
  return counts;
}

async function bytesBelow(storage: Storage, folder: string): Promise<number> {
  let bytes = 0;
  for (const path of await storage.list(folder)) bytes += (await storage.size(path)) ?? 0;
  return bytes;
}
