/** Rows measured within one process: the durable operation, text, and cost over history. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { signerFromSeed, type Signer } from '../src/core/crypto.js';
import type { Run } from '../src/core/op.js';
import type { DiamondTypes } from '../src/crdt/text/diamond.js';
import { nodeClock } from '../src/node/clock.js';
import { nodeDeflate } from '../src/node/deflate.js';
import { loadOrCreateDeviceKey } from '../src/node/home.js';
import { openKeyValue, wipeKeyValue } from '../src/node/keyvalue.js';
import { bootId, placeMark } from '../src/node/place.js';
import { nodeRng } from '../src/node/rng.js';
import { createRoot } from '../src/node/root.js';
import { openStorage } from '../src/node/storage.js';
import { createWorkspace } from '../src/repo/birth.js';
import { NO_STRONG_LOG, type Replica } from '../src/repo/replica.js';
import { chunkBoundaries } from '../src/tree/chunker.js';
import { writeRegister } from '../src/tree/fieldops.js';
import { textOps } from '../src/tree/record.js';
import { median, row, type Row, type Sample } from './measure.js';

const birth = { name: 'bench', deviceName: 'bench', recovery: null };

async function replicaIn(folder: string, signer: Signer): Promise<Replica> {
  mkdirSync(folder, { recursive: true });
  const data = join(folder, '.wn');
  await createRoot(data);
  const index = join(data, 'index');
  const ports = {
    storage: openStorage(data),
    clock: nodeClock,
    rng: nodeRng,
    deflate: nodeDeflate,
    diamondTypes: () => createRequire(import.meta.url)('diamond-types-node') as DiamondTypes,
    openIndex: (wipe: boolean) => {
      if (wipe) wipeKeyValue(index);
      return openKeyValue(index);
    },
    bootId: bootId(),
    placeMark: placeMark(data),
    chunks: chunkBoundaries,
    strong: () => Promise.resolve(NO_STRONG_LOG),
  };
  return createWorkspace(ports, signer, birth);
}

/** One field set, signed and on disk, beside the disk's own sync of as many bytes. */
export async function durableRow(folder: string): Promise<Row[]> {
  const signer = signerFromSeed(nodeRng.bytes(32));
  const replica = await replicaIn(folder, signer);
  const node = await replica.transact(async () => {
    const draft = await replica.author.draft(null);
    const made = draft.create(replica.root, 'a.md', 'file');
    replica.author.commit(draft);
    await replica.flush(signer);
    return made;
  });
  const raw = openSync(join(folder, 'raw'), 'a');
  const ours: number[] = [];
  const disk: number[] = [];
  for (let at = 0; at < 500; at++) {
    let started = performance.now();
    await replica.transact(async () => {
      const draft = await replica.author.draft(null);
      draft.add(writeRegister(replica, node, ['n'], at, at === 0 ? undefined : at - 1));
      replica.author.commit(draft);
      await replica.flush(signer);
    });
    ours.push(performance.now() - started);
    started = performance.now();
    writeSync(raw, Buffer.alloc(200));
    fdatasyncSync(raw);
    disk.push(performance.now() - started);
  }
  closeSync(raw);
  await replica.close();
  const [a, b] = [median(ours), median(disk)];
  return [
    row(
      'durable operation in a running process, p50',
      `${a.toFixed(2)} ms`,
      `fdatasync ${b.toFixed(2)} ms`,
      a / b,
      'at most 2 ×, or under 1 ms;',
    ),
  ];
}

interface Trace {
  readonly txns: readonly {
    readonly patches: readonly (readonly [pos: number, del: number, ins: string])[];
  }[];
  readonly endContent: string;
}

/** A paper typed key by key, in commits of 100, signed, on disk; peers only in memory. */
export async function textRows(folder: string, root: string): Promise<Row[]> {
  const file = join(root, '../shared/data/editing-traces/automerge-paper.json.gz');
  if (!existsSync(file)) {
    console.log('text: left out, the trace automerge-paper is not there');
    return [];
  }
  const trace = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Trace;
  const patches = trace.txns.flatMap((txn) => txn.patches);
  const ours: number[] = [];
  for (let round = 0; round < 5; round++)
    ours.push(await typed(join(folder, String(round)), patches, trace.endContent));
  const mine = median(ours);
  const rows: Row[] = [];
  for (const peer of ['loro', 'yjs', 'automerge'] as const) {
    const ms = peerMs(root, peer, file);
    if (ms === null) console.log(`text: ${peer} is not installed (npm ci in bench/)`);
    else
      rows.push(
        row(
          'automerge-paper, signed and durable',
          `${mine.toFixed(0)} ms`,
          `${peer} in memory ${ms.toFixed(0)} ms`,
          mine / ms,
          'under 1',
        ),
      );
  }
  if (rows.length === 0)
    rows.push({
      measure: 'automerge-paper, signed and durable',
      ours: `${mine.toFixed(0)} ms`,
      peer: '',
      ratio: '',
      goal: '',
    });
  return rows;
}

async function typed(
  folder: string,
  patches: readonly (readonly [number, number, string])[],
  end: string,
): Promise<number> {
  const signer = signerFromSeed(nodeRng.bytes(32));
  const replica = await replicaIn(folder, signer);
  const started = performance.now();
  await replica.transact(async () => {
    const first = await replica.author.draft(null);
    const node = first.create(replica.root, 'paper.txt', 'file');
    replica.author.commit(first);
    for (let at = 0; at < patches.length; at += 100) {
      const runs: Run[] = [];
      for (const [pos, del, ins] of patches.slice(at, at + 100)) {
        if (del > 0) runs.push([pos, del]);
        if (ins !== '') runs.push([pos, ins]);
      }
      const draft = await replica.author.draft(null);
      const heads = replica.view.record(node).document?.heads ?? [];
      for (const op of textOps(replica, node, heads, runs)) draft.add(op);
      replica.author.commit(draft);
    }
    await replica.flush(signer);
    if (replica.view.text(node) !== end) throw new Error('the text is not the trace’s end');
  });
  const ms = performance.now() - started;
  await replica.close();
  return ms;
}

function peerMs(root: string, peer: string, file: string): number | null {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'bench/peers.mjs'), peer, file],
    { encoding: 'utf8' },
  );
  return status === 0 ? Number(stdout.trim()) : null;
}

/** The same command on 10,000, 100,000 and 1,000,000 ops of history. */
export async function flatRows(
  folder: string,
  wn: (folder: string, args: readonly string[]) => Sample,
  env: Readonly<Record<string, string>>,
): Promise<Row[]> {
  const key = await loadOrCreateDeviceKey(env['WN_HOME'] ?? '');
  const signer = signerFromSeed(key.seed);
  const figures: { ops: number; status: number; commit: number; rss: number }[] = [];
  for (const ops of [10_000, 100_000, 1_000_000]) {
    const at = join(folder, String(ops));
    const replica = await replicaIn(at, signer);
    await grow(replica, signer, ops);
    await replica.close();
    wn(at, ['status']);
    const status: Sample[] = [];
    const commit: Sample[] = [];
    for (let round = 0; round < 5; round++) {
      status.push(wn(at, ['status']));
      writeFileSync(join(at, 'note.txt'), `round ${round}\n`);
      commit.push(wn(at, ['commit', '-m', 'note']));
    }
    figures.push({
      ops,
      status: median(status.map((sample) => sample.cpuMs)),
      commit: median(commit.map((sample) => sample.cpuMs)),
      rss: Math.max(
        ...status.map((sample) => sample.rssMiB),
        ...commit.map((sample) => sample.rssMiB),
      ),
    });
  }
  const [first, middle, last] = figures;
  if (first === undefined || middle === undefined || last === undefined) return [];
  return [
    row(
      '`status`, CPU: 1,000,000 ops against 10,000',
      `${last.status.toFixed(0)} ms`,
      `${first.status.toFixed(0)} ms`,
      last.status / first.status,
      '1.2',
    ),
    row(
      '`commit`, CPU: 1,000,000 ops against 10,000',
      `${last.commit.toFixed(0)} ms`,
      `${first.commit.toFixed(0)} ms`,
      last.commit / first.commit,
      '1.2',
    ),
    row(
      'memory of a command on 100,000 ops',
      `${middle.rss.toFixed(0)} MiB`,
      'bound 100 MB',
      (middle.rss * 1.048576) / 100,
      '1',
    ),
  ];
}

async function grow(replica: Replica, signer: Signer, ops: number): Promise<void> {
  await replica.transact(async () => {
    const draft = await replica.author.draft(null);
    const nodes = Array.from({ length: 100 }, (_, at) =>
      draft.create(replica.root, `n${at}.md`, 'file'),
    );
    replica.author.commit(draft);
    for (let done = 0, n = 0; done < ops; n++) {
      const change = await replica.author.draft(null);
      for (const node of nodes)
        change.add(writeRegister(replica, node, ['n'], n, n === 0 ? undefined : n - 1));
      replica.author.commit(change);
      done += nodes.length;
      if (n % 200 === 0) await replica.flush(signer);
    }
    await replica.flush(signer);
  });
}
