/**
 * One random history in which entries of a strong log arrive too, at each device when it
 * comes: it takes fields and contents, gives them free, creates, deletes and claims. State
 * must be a function of the commits and the entries held: in whatever order they came, all
 * devices agree, and with a fold from scratch.
 */
import assert from 'node:assert/strict';
import { WnError } from '../../src/core/errors.js';
import { nodeId, type NodeId } from '../../src/core/ids.js';
import { hlcFromMs } from '../../src/core/hlc.js';
import { ATTRIBUTE, type FieldPath } from '../../src/core/op.js';
import type { StrongChange, StrongEffect } from '../../src/core/strong.js';
import { fieldType, pathKey } from '../../src/crdt/registry.js';
import { Replica } from '../../src/repo/replica.js';
import { listConflicts } from '../../src/tree/conflicts.js';
import { setFields } from '../../src/tree/edit.js';
import { dump, pairs } from './agreement.js';
import type { Device } from './device.js';
import { Ledger } from './ledger.js';
import { User } from './user.js';
import { World } from './world.js';

const FIELDS: readonly FieldPath[] = [['status'], ['owner'], ['title'], [ATTRIBUTE.body]];
const ROUNDS = 3;

/** How often what the run is about happened, so that nobody trusts an empty one. */
export interface StrongCounts {
  readonly ignored: number;
  readonly counted: number;
  readonly deleted: number;
  readonly refused: number;
}

interface Run {
  readonly world: World;
  readonly entries: StrongChange[];
  readonly taken: Map<Device, number>;
  refused: number;
}

/** Throws what doesn't hold. */
export async function runStrong(
  seed: number,
  { steps }: { readonly steps: number },
  story: string[],
): Promise<StrongCounts> {
  const world = await World.begin(seed, 3);
  const ledger = new Ledger();
  const users = new Map(world.devices.map((device) => [device, new User(device, ledger)]));
  const run: Run = { world, entries: [], taken: new Map(), refused: 0 };
  for (let step = 0; step < steps; step++) {
    world.passTime();
    story.push(await takeStep(run, users));
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const device of world.devices) {
      await take(run, device, run.entries.length);
      await commit(run, device);
    }
    for (const [near, far] of pairs(world.devices)) await world.sync(near, far);
  }
  for (const [near, far] of pairs(world.devices)) await world.sync(near, far);
  await check(run);
  return countsOf(run);
}

async function takeStep(run: Run, users: ReadonlyMap<Device, User>): Promise<string> {
  const { world } = run;
  const { random } = world;
  const device = random.pick(world.devices);
  const kind = random.float();
  if (kind < 0.08) return writeReleased(run, device);
  if (kind < 0.4) return `${device.name}: ${(await users.get(device)?.act()) ?? ''}`;
  if (kind < 0.55) return commit(run, device);
  if (kind < 0.7) {
    const [near, far] = random.shuffle(world.devices);
    if (near === undefined || far === undefined) return 'nothing';
    await world.sync(near, far);
    return `${near.name} syncs with ${far.name}`;
  }
  if (kind < 0.88) return decide(run, device);
  const known = run.taken.get(device) ?? 0;
  return take(run, device, random.int(known, run.entries.length));
}

async function commit(run: Run, device: Device): Promise<string> {
  const { ops, refused } = await device.work.commit({ message: null });
  run.refused += refused.length;
  return `${device.name} commits ${ops} ops, ${refused.length} refused`;
}

/** What was given free is written again, by one who may know of it or not. */
async function writeReleased({ world, entries }: Run, device: Device): Promise<string> {
  const nodes = new Set(entries.flatMap(({ effects }) => effects.map(({ node }) => node)));
  const shown = [...device.replica.view.walk()].filter(
    ({ node, path }) => nodes.has(node) && path.endsWith('.md'),
  );
  if (shown.length === 0) return 'nothing';
  const { path } = world.random.pick(shown);
  const assignments = [`${String(world.random.pick(FIELDS.slice(0, 3))[0])}=${device.name}`];
  try {
    await setFields(device.work, { path, assignments, message: null });
  } catch (error) {
    if (!(error instanceof WnError)) throw error;
    return `${device.name}: wn set ${path}: ${error.message}`;
  }
  return `${device.name}: wn set ${path} ${assignments.join()}`;
}

/** One more entry of the log, about something that a device sees. */
function decide({ world, entries }: Run, device: Device): string {
  const { random } = world;
  const shown = [...device.replica.view.walk()];
  const index = (entries.at(-1)?.index ?? 0) + random.int(1, 3);
  const entry = shown.length === 0 ? null : random.pick(shown);
  const effect = effectOn(world, device, entry?.node ?? null, entry?.type === 'file', index);
  const timeMs = device.clock.wallMs();
  entries.push({ index, hlc: hlcFromMs(timeMs), timeMs, effects: [effect] });
  return `entry ${index}: ${JSON.stringify(effect)} (${entry?.path ?? ''})`;
}

function effectOn(
  world: World,
  { replica }: Device,
  node: NodeId | null,
  isFile: boolean,
  index: number,
): StrongEffect {
  const { random } = world;
  const kind = random.float();
  if (node === null || kind < 0.15) {
    const salt = new Uint8Array(16).fill(index % 256);
    const parent = replica.root;
    const created = nodeId(replica.device, salt, index, parent);
    return { effect: 'created', node: created, parent, name: `s${index % 3}.md`, type: 'file' };
  }
  if (kind < 0.25) return { effect: 'deleted', node };
  if (kind < 0.35) {
    const { device: owner } = replica;
    return { effect: 'claimed', node, token: index, owner, leaseMs: 1_000, renewal: 0 };
  }
  const owned = ownedBy(replica);
  if (owned.length > 0 && kind < 0.65) return { effect: 'released', ...random.pick(owned) };
  const path = random.pick(isFile ? FIELDS : FIELDS.slice(0, 3));
  const value = path[0] === ATTRIBUTE.body ? `strong ${index}\n` : `s${index}`;
  return { effect: 'set', node, path, type: 0, value };
}

function ownedBy({ view }: Replica): readonly { node: NodeId; path: FieldPath }[] {
  return [...view.walk()].flatMap(({ node }) =>
    [...(view.record(node).strong?.fields.values() ?? [])]
      .filter(({ released }) => released === null)
      .map(({ path }) => ({ node, path })),
  );
}

async function take({ entries, taken }: Run, device: Device, upTo: number): Promise<string> {
  const known = taken.get(device) ?? 0;
  await device.takeStrong(entries.slice(known, upTo));
  taken.set(device, Math.max(known, upTo));
  await device.work.bringInStep();
  return `${device.name} takes entries up to number ${upTo}`;
}

async function check({ world }: Run): Promise<void> {
  for (const [a, b] of pairs(world.devices)) {
    const pair = `${a.name} and ${b.name}`;
    assert.deepEqual(a.replica.view.frontier(), b.replica.view.frontier(), `frontiers of ${pair}`);
    assert.deepEqual(dump(a.replica), dump(b.replica), `worknodes of ${pair}`);
    assert.equal(a.replica.view.hash(), b.replica.view.hash(), `view hashes of ${pair}`);
  }
  for (const device of world.devices) {
    const fresh = await Replica.reindex(device.spare());
    assert.deepEqual(dump(fresh), dump(device.replica), `${device.name}: folded from scratch`);
    assert.equal(fresh.view.hash(), device.replica.view.hash(), `${device.name}: from scratch`);
    assert.equal(fresh.strongIndex, device.replica.strongIndex);
    await fresh.close();
    checkOwned(device);
    // Telling them reads all that they rest on.
    listConflicts(device.replica);
  }
}

/** What the log owns shows as the log says. */
function checkOwned({ replica, name }: Device): void {
  for (const { node, path } of replica.view.walk()) {
    const { strong } = replica.view.record(node);
    for (const field of strong?.fields.values() ?? []) {
      if (field.released !== null) continue;
      const shown =
        typeof field.path[0] === 'string'
          ? replica.view.fields(node).get(field.path.join('.'))?.value
          : replica.view.attribute(node, ATTRIBUTE.body);
      assert.equal(shown, field.value, `${name}: ${path} ${pathKey(field.path)}`);
    }
  }
}

function countsOf({ world, refused, entries }: Run): StrongCounts {
  let [ignored, counted] = [0, 0];
  const { replica } = world.first;
  for (const { node } of replica.view.walk()) {
    const { strong, fields } = replica.view.record(node);
    for (const [key, field] of strong?.fields ?? []) {
      if (field.ignored) ignored += 1;
      const type = fieldType(field.type);
      const state = type && fields.get(key)?.of(type);
      const entry = (state as { entries?: { at: string }[] } | undefined)?.entries?.[0];
      if (field.released !== null && entry !== undefined && entry.at !== field.at) counted += 1;
    }
  }
  const deleted = entries.filter(({ effects }) => effects[0]?.effect === 'deleted').length;
  return { ignored, counted, deleted, refused };
}
