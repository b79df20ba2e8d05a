/**
 * Bit rot: on a small repository each byte of each segment is flipped, and each segment
 * cut at each length, one at a time, and the repository opened with its index and
 * without. Damage is named with its file, shows no wrong view, is never cut away, does
 * not spread to a peer, and is mended by one. Leaves out who damages on purpose: those
 * are the hostile peers of `test/sync`.
 */
import assert from 'node:assert/strict';
import { equalBytes } from '../../src/core/bytes.js';
import { WnError } from '../../src/core/errors.js';
import type { CommitId } from '../../src/core/ids.js';
import { fsck, gc, repairFrom, type Check } from '../../src/repo/care.js';
import { Replica, type ReplicaPorts } from '../../src/repo/replica.js';
import { syncStores } from '../../src/sync/path.js';
import { ReplicaStore } from '../../src/sync/replicastore.js';
import { WorkCopy } from '../../src/tree/workcopy.js';
import { commitsIn } from './field.js';
import { SimDisk } from '../sim/disk.js';
import { SimKeyValue } from '../sim/keyvalue.js';
import { Seeded } from '../sim/random.js';
import { SimWorkDir } from '../sim/workdir.js';
import type { Device } from '../simulation/device.js';
import { Ledger } from '../simulation/ledger.js';
import { User } from '../simulation/user.js';
import { World } from '../simulation/world.js';

type Files = ReadonlyMap<string, Uint8Array>;
type Pairs = readonly (readonly [key: Uint8Array, value: Uint8Array])[];

/** One device's repository at one time. */
interface Shot {
  readonly device: Device;
  readonly files: Files;
  readonly index: Pairs;
}

interface Ground {
  readonly world: World;
  readonly random: Seeded;
  /** The one that gets damaged, and a neighbour that holds the same. */
  readonly whole: Shot;
  readonly peer: Shot;
  /** The neighbour before it heard of the last commits. */
  readonly behind: Shot;
  readonly commits: ReadonlySet<CommitId>;
  readonly viewHash: string;
}

interface Trial {
  readonly file: string;
  readonly damaged: Uint8Array;
  readonly what: string;
  readonly kind: 'flipped' | 'cut';
  readonly indexed: boolean;
}

const ALL = { from: Uint8Array.of(0), to: new Uint8Array(8).fill(255) };
/** Shares of the damaged repositories that are synced with and mended, too. */
const SYNCED = 0.25;
const MENDED = 0.1;
const COMMITS = 3;
const EDITS = 4;

/** `share`: of all trials, those that are made. Resolves to how many that were. */
export async function runDamage(seed: number, { share }: { share: number }): Promise<string> {
  const ground = await prepare(seed);
  let made = 0;
  for (const trial of trials(ground)) {
    if (!ground.random.chance(share)) continue;
    made += 1;
    await tryDamage(ground, trial);
  }
  const bytes = segmentsOf(ground).reduce((sum, [, each]) => sum + each.byteLength, 0);
  return `${made} damaged repositories of ${ground.commits.size} commits, ${bytes} bytes of logs`;
}

/** Logs of two devices, of which some are sealed, with tails behind them. */
async function prepare(seed: number): Promise<Ground> {
  const world = await World.begin(seed, 2);
  const [ann, bea] = [world.device(0), world.device(1)];
  await edit(world, ann);
  await edit(world, bea);
  await world.sync(ann, bea);
  await gc(ann.replica, 1, 0);
  await edit(world, ann);
  await edit(world, bea);
  const behind = await shoot(bea);
  await world.sync(ann, bea);
  const whole = await shoot(ann);
  const commits = commitsIn(ann.replica);
  const viewHash = ann.replica.view.hash();
  return {
    ...{ world, random: new Seeded(seed), whole, behind, commits, viewHash },
    peer: await shoot(bea),
  };
}

async function edit(world: World, device: Device): Promise<void> {
  const user = new User(device, new Ledger());
  for (let commit = 0; commit < COMMITS; commit++) {
    for (let count = 0; count < EDITS; count++) {
      world.passTime();
      await user.edit();
    }
    await device.work.commit({ message: null });
  }
}

async function shoot(device: Device): Promise<Shot> {
  const { storage } = device.ports;
  const files = new Map<string, Uint8Array>();
  for (const path of await storage.list('')) {
    const bytes = await storage.read(path);
    // Not a Buffer: its `slice` would share the bytes.
    if (bytes !== null) files.set(path, Uint8Array.from(bytes));
  }
  return { device, files, index: [...(await device.copyIndex()).range(ALL)] };
}

function segmentsOf({ whole }: Ground): readonly (readonly [string, Uint8Array])[] {
  return [...whole.files].filter(([path]) => path.startsWith('logs/'));
}

function* trials(ground: Ground): Iterable<Trial> {
  const { random } = ground;
  for (const [file, bytes] of segmentsOf(ground)) {
    for (const indexed of [true, false]) {
      const how = `of ${file}, ${indexed ? 'with its' : 'without an'} index`;
      for (let at = 0; at < bytes.byteLength; at++) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ (1 << random.int(0, 7));
        yield { file, damaged, what: `byte ${at} ${how}`, kind: 'flipped', indexed };
        const cut = bytes.slice(0, at);
        yield { file, damaged: cut, what: `cut at ${at} ${how}`, kind: 'cut', indexed };
      }
    }
  }
}

interface Copy {
  readonly disk: SimDisk;
  readonly ports: ReplicaPorts;
}

function copyOf({ device, files, index }: Shot, trial: Trial | null): Copy {
  const disk = new SimDisk({ random: new Seeded(1) });
  for (const [path, bytes] of files) disk.keep(disk.push(path, bytes));
  if (trial !== null) disk.keep(disk.push(trial.file, trial.damaged));
  const tables = new SimKeyValue();
  if (trial?.indexed !== false) tables.write(index);
  const openIndex = (wipe: boolean): Promise<SimKeyValue> => {
    if (wipe) tables.wipe();
    return Promise.resolve(tables);
  };
  return { disk, ports: { ...device.ports, storage: disk.open(), openIndex } };
}

async function tryDamage(ground: Ground, trial: Trial): Promise<void> {
  const copy = copyOf(ground.whole, trial);
  try {
    const named = await useDamaged(ground, trial, copy);
    if (!named) return;
    // Both take long, and don't depend on which byte it was.
    if (ground.random.chance(SYNCED)) await syncWithDamaged(ground, trial);
    if (ground.random.chance(MENDED)) await mend(ground, trial);
  } catch (error) {
    throw new Error(`${trial.what}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** False where nothing can be noticed: the end of the log is gone, and with it who knew. */
async function useDamaged(ground: Ground, trial: Trial, copy: Copy): Promise<boolean> {
  const view = await told(() => lookAround(ground, copy));
  if (view !== 'damage' && !isPrefix(ground, trial, view)) {
    assert.deepEqual(view.commits, ground.commits, 'commits are missing, and nobody said so');
    assert.equal(view.hash, ground.viewHash, 'a wrong view');
  }
  const { replica, check } = await checked(copy);
  const named = check.problems.some(({ file }) => file === trial.file);
  if (trial.indexed) await told(() => makeCommit(ground, replica));
  await replica.close();
  if (view !== 'damage' && isPrefix(ground, trial, view)) return named;
  assert(named, `fsck names ${check.problems.map(({ file }) => file).join() || 'nothing'}`);
  const after = copy.disk.bytes(trial.file) ?? new Uint8Array();
  const kept = after.subarray(0, trial.damaged.byteLength);
  assert(equalBytes(kept, trial.damaged), 'damaged bytes were cut or changed');
  return true;
}

interface Seen {
  readonly commits: ReadonlySet<CommitId>;
  readonly hash: string;
}

/** What is left where the end of a last segment was cut off, and no index knows of it. */
function isPrefix({ commits }: Ground, { kind, indexed, file }: Trial, view: Seen): boolean {
  if (kind !== 'cut' || indexed || file.endsWith('.segz')) return false;
  return view.commits.size < commits.size && [...view.commits].every((id) => commits.has(id));
}

/** `wn status`, `wn log` and `wn show` of everything. */
async function lookAround({ whole }: Ground, { ports }: Copy): Promise<Seen> {
  const replica = await Replica.open(ports, 0);
  const { device } = whole;
  const signer = (): Promise<typeof device.signer> => Promise.resolve(device.signer);
  await new WorkCopy(replica, new SimWorkDir(device.files), signer, 0).status();
  for (const { node, type } of replica.view.walk()) {
    if (type === 'file') replica.view.content(node);
  }
  return { commits: commitsIn(replica), hash: replica.view.hash() };
}

async function makeCommit({ whole }: Ground, replica: Replica): Promise<void> {
  await replica.transact(async () => {
    const draft = await replica.author.draft(null);
    draft.create(replica.root, 'made later', 'folder');
    replica.author.commit(draft);
    await replica.flush(whole.device.signer);
  }, 0);
}

/** `wn fsck --full`, which opens what can be opened. */
async function checked({ ports }: Copy): Promise<{ replica: Replica; check: Check }> {
  let replica: Replica;
  try {
    replica = await Replica.open(ports, 0);
  } catch (error) {
    if (!(error instanceof WnError) || error.code !== 'damage') throw error;
    replica = await Replica.reindex(ports, 0, true);
  }
  return { replica, check: await fsck(replica, { full: true }) };
}

/** Our error for damage is an answer; any other failure is a bug, and thrown. */
async function told<T>(run: () => Promise<T>): Promise<T | 'damage'> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof WnError && error.code === 'damage') return 'damage';
    throw error;
  }
}

/** Whoever syncs with it takes only what is authentic, and stays in order. */
async function syncWithDamaged({ world, whole, behind, commits }: Ground, trial: Trial) {
  const ours = await Replica.open(copyOf(behind, null).ports, 0);
  const had = commitsIn(ours);
  const theirs = await told(() => Replica.open(copyOf(whole, trial).ports, 0));
  if (theirs === 'damage') return;
  const ports = { clock: world.clock, rng: ours.ports.rng };
  const stores = [new ReplicaStore(ours), new ReplicaStore(theirs)] as const;
  await told(() => syncStores(...stores, 'sync', ports));
  const has = commitsIn(ours);
  assert(
    [...had].every((id) => has.has(id)),
    'a sync took commits away',
  );
  assert(
    [...has].every((id) => commits.has(id)),
    'a commit that nobody made came by a sync',
  );
  const { problems } = await fsck(ours, { full: true });
  assert.deepEqual(problems, [], 'the neighbour, after a sync');
}

/** `wn fsck --repair`. */
async function mend({ whole, peer, commits, viewHash }: Ground, trial: Trial): Promise<void> {
  const copy = copyOf(whole, trial);
  const { replica, check } = await checked(copy);
  const healthy = await Replica.open(copyOf(peer, null).ports, 0);
  const mended = await repairFrom(replica, healthy, check.problems);
  assert.deepEqual(mended, [trial.file], 'mended files');
  await replica.close();
  const anew = await Replica.reindex(copy.ports, 0);
  assert.deepEqual(commitsIn(anew), commits, 'commits of the mended repository');
  assert.equal(anew.view.hash(), viewHash, 'the view of the mended repository');
  const { problems } = await fsck(anew, { full: true });
  assert.deepEqual(problems, [], 'the mended repository');
}
