/**
 * What must hold once everyone has heard of everything: the same files byte for byte,
 * the same view, state that equals a fold from scratch, nothing left to do, and nothing
 * lost that somebody typed.
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { decodeBlobRef } from '../../src/repo/blobs.js';
import { fsck } from '../../src/repo/care.js';
import { EMPTY_NODE, type NodeRecord } from '../../src/repo/fold/node.js';
import { key } from '../../src/repo/index/tables.js';
import type { Replica } from '../../src/repo/replica.js';
import { fieldState } from '../../src/crdt/registry.js';
import { register } from '../../src/crdt/register.js';
import { ATTRIBUTE } from '../../src/core/op.js';
import { encodeFields } from '../../src/crdt/registry.js';
import { encodeCanonical } from '../../src/core/canonical.js';
import { toHex } from '../../src/core/bytes.js';
import { hashHex } from '../../src/core/crypto.js';
import type { Device } from './device.js';
import { readable, type Ledger } from './ledger.js';
import { itemsBelow, textOf } from './user.js';
import type { World } from './world.js';

/** Rounds after which everything must have come to rest. */
const ROUNDS_MAX = 12;

/** Everyone commits and exchanges with everyone until nothing changes any more. */
export async function settle(world: World): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const before = stateOf(world);
    for (const device of world.devices) {
      world.passTime();
      const { refused } = await device.work.commit({ message: null });
      assert.deepEqual(refused, [], `${device.name}: a file was refused`);
    }
    for (const [near, far] of pairs(world.devices)) await world.sync(near, far);
    if (round > 0 && stateOf(world) === before) return;
  }
  assert.fail(`still changing after ${ROUNDS_MAX} rounds`);
}

export function pairs<T>(items: readonly T[]): (readonly [T, T])[] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b) => [a, b] as const));
}

function stateOf(world: World): string {
  return world.devices
    .map(({ replica, files }) => replica.view.frontierHash() + JSON.stringify(treeOf(files)))
    .join();
}

/** Every path with its bytes (as text fit to be read, and their hash) and mode. */
export function treeOf(files: Device['files']): Readonly<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const { path, node } of itemsBelow(files.find(''), '')) {
    if (node.kind === 'folder') tree[`${path}/`] = 'folder';
    else if (node.kind === 'symlink') tree[path] = `→ ${node.target}`;
    else
      tree[path] =
        `${node.executable ? 'x ' : ''}${hashHex('wn/file/1', node.content.bytes).slice(0, 16)} ` +
        JSON.stringify(readable(bytesText(node.content.bytes)));
  }
  return Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function bytesText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** All devices have come to rest (`settle`); throws what is not as it must be. */
export async function checkAgreement(world: World, ledger: Ledger): Promise<void> {
  const [first, ...others] = world.devices;
  assert(first !== undefined);
  for (const device of world.devices) await checkAtRest(device);
  for (const other of others) {
    const pair: string = `${first.name} and ${other.name}`;
    assert.deepEqual(
      other.replica.view.frontier(),
      first.replica.view.frontier(),
      `frontiers of ${pair}`,
    );
    assert.deepEqual(dump(other.replica), dump(first.replica), `worknodes of ${pair}`);
    assert.equal(other.replica.view.hash(), first.replica.view.hash(), `view hashes of ${pair}`);
    assert.deepEqual(treeOf(other.files), treeOf(first.files), `files of ${pair}`);
  }
  for (const device of world.devices) {
    checkNothingLost(device, ledger);
    await checkFromScratch(device);
  }
}

/** Nothing is waiting, nothing differs from the last commit, the files are those of the view. */
export async function checkAtRest({ name, replica, work, files }: Device): Promise<void> {
  const status = await work.status();
  assert.deepEqual(status.changes, [], `${name}: status says that something changed`);
  assert.deepEqual(replica.dirtyNodes(), [], `${name}: worknodes are still out of step`);
  assert.deepEqual(replica.view.waiting(), { pending: 0, held: 0 }, `${name}: commits wait`);
  const shown = [...replica.view.walk()].map(({ path, type }) =>
    type === 'folder' ? `${path}/` : path,
  );
  assert.deepEqual(Object.keys(treeOf(files)), shown.sort(), `${name}: files and view differ`);
}

export function checkNothingLost({ name, replica, files }: Device, ledger: Ledger): void {
  const texts = itemsBelow(files.find(''), '').map(textOf);
  assert.deepEqual(ledger.missingIn([...texts, ...losersOf(replica)]), [], `${name}: lost`);
  for (const text of texts)
    assert.deepEqual(ledger.doubledIn(text), [], `${name}: twice in one file`);
}

/** Whole contents that lost against a concurrent one: kept, and listed as conflicts. */
function* losersOf(replica: Replica): Iterable<string> {
  for (const [at] of replica.tables.prefix(key.table('conflict'))) {
    const { fields } = replica.view.record(at.slice(2));
    for (const { value } of fieldState(fields, [ATTRIBUTE.body], register).entries) {
      const ref = value === undefined ? null : decodeBlobRef(value);
      const bytes =
        value instanceof Uint8Array ? value : ref === null ? null : replica.view.blob(ref);
      if (bytes !== null) yield bytesText(bytes);
    }
  }
}

/** The same state from an index that begins empty, and logs that are in order. */
export async function checkFromScratch(device: Device): Promise<void> {
  const before = dump(device.replica);
  const hash = device.replica.view.hash();
  await device.reindex();
  assert.deepEqual(dump(device.replica), before, `${device.name}: folded from scratch`);
  assert.equal(device.replica.view.hash(), hash, `${device.name}: view hash from scratch`);
  const check = await fsck(device.replica, { full: true });
  assert.deepEqual(check.problems, [], `${device.name}: fsck`);
}

/** Everything that a fold knows about each worknode, by its id, fit to be compared. */
export function dump(replica: Replica): Readonly<Record<string, unknown>> {
  const stored = [...replica.tables.prefix(key.table('node'))].map(([at]) => at.slice(2));
  const nodes = stored.filter((node) => !isDeepStrictEqual(replica.view.record(node), EMPTY_NODE));
  const conflicts = new Set(
    [...replica.tables.prefix(key.table('conflict'))].map(([at]) => at.slice(2)),
  );
  return Object.fromEntries(
    nodes.sort().map((node) => {
      const record = replica.view.record(node);
      return [
        node,
        { ...plain(record), text: replica.view.text(node), listed: conflicts.has(node) },
      ];
    }),
  );
}

/** Sets are sorted: in which order commits came is nobody's business. */
function plain(record: NodeRecord): Readonly<Record<string, unknown>> {
  const { created, placed, deletes, touches, fields, document, updated, shown, conflict, kids } =
    record;
  return {
    created,
    placed: placed && `${placed.at} ${placed.parent} ${placed.name}`,
    deletes: deletes.map(({ log, seq }) => `${log}/${seq}`).sort(),
    touches: [...touches].map(([log, seq]) => `${log}/${seq}`).sort(),
    fields: toHex(encodeCanonical(encodeFields(fields))),
    heads: document?.heads.map(({ log, seq, index }) => `${log}/${seq}/${index}`).sort(),
    last:
      document &&
      [...document.last].map(([log, { seq, index }]) => `${log}/${seq}/${index}`).sort(),
    whiteout: document?.whiteout,
    updated,
    shown,
    conflict,
    kids,
  };
}
