import assert from 'node:assert/strict';
import { decodeCanonical, encodeCanonical, type Canonical } from '../../src/core/canonical.js';
import { SYNC_CLOSE_MS, SYNC_IDLE_MS } from '../../src/core/limits.js';
import { runSync, type SyncReport } from '../../src/sync/driver.js';
import { refusalOf } from '../../src/sync/refusal.js';
import { exchange, linked, seededRng, settle, TestClock } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { workspaceOf } from './workspace.js';

type Chance = ReturnType<typeof seededRng>;

/** One frame made worse: what arrives instead of it. */
const MUTATIONS: readonly ((frame: Uint8Array, chance: Chance) => readonly Uint8Array[])[] = [
  (frame, chance) => [flipped(frame, chance, 1)],
  (frame, chance) => [flipped(frame, chance, 8)],
  (frame, chance) => [frame.subarray(0, chance.below(frame.byteLength))],
  (frame, chance) => [Buffer.concat([frame, chance.bytes(1 + chance.below(9))])],
  (_, chance) => [chance.bytes(chance.below(300))],
  (frame) => [frame, frame],
  () => [],
  (frame, chance) => {
    const at = chance.below(frame.byteLength);
    return [Buffer.concat([frame.subarray(0, at), chance.bytes(4), frame.subarray(at)])];
  },
  ...new Array<typeof misstated>(6).fill(misstated),
];

/** Well-formed, and untrue in one place: what a peer sends that knows the format. */
function misstated(frame: Uint8Array, chance: Chance): readonly Uint8Array[] {
  return [encodeCanonical(altered(decodeCanonical(frame), chance))];
}

function altered(value: Canonical, chance: Chance): Canonical {
  if (typeof value === 'number') {
    return [value + 1, Math.max(0, value - 1), -value - 1, 2 ** 53 - 1, 0][chance.below(5)] ?? 0;
  }
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return `${value}\u001b`;
  if (value instanceof Uint8Array) {
    const other = [flipped(value, chance, 1), value.subarray(1), null, chance.bytes(32)];
    return value.byteLength === 0 ? chance.bytes(1) : (other[chance.below(4)] ?? null);
  }
  if (!Array.isArray(value) || value.length === 0) return chance.bytes(32);
  const list = value as readonly Canonical[];
  const at = chance.below(list.length);
  const [before, it, after] = [list.slice(0, at), list[at] ?? null, list.slice(at + 1)];
  const dice = chance.below(12);
  if (dice === 0) return [...before, ...after];
  if (dice === 1) return [...before, it, it, ...after];
  return [...before, altered(it, chance), ...after];
}

function flipped(frame: Uint8Array, chance: Chance, times: number): Uint8Array {
  const copy = Uint8Array.from(frame);
  for (let each = 0; each < times; each++) {
    const at = chance.below(copy.byteLength);
    copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
  }
  return copy;
}

function freshPair(): readonly [MemoryStore, MemoryStore] {
  const [a, b] = workspaceOf(['a', 'b']);
  assert.ok(a !== undefined && b !== undefined);
  for (let each = 0; each < 3; each++) {
    a.commit();
    b.commit();
  }
  a.commitChunks([new Uint8Array(700).fill(1)]);
  b.commitChunks([new Uint8Array(700).fill(2)]);
  return [a, b];
}

/** A session to its end, with time moved on where both sides wait. */
async function playedOut(
  stores: readonly [MemoryStore, MemoryStore],
  meddle: (frame: Uint8Array, number: number) => readonly Uint8Array[],
): Promise<readonly SyncReport[]> {
  const clock = new TestClock();
  const link = linked({ meddle });
  const [a, b] = stores;
  let ended = false;
  const reports = Promise.all([
    runSync(a, link.near, { clock, rng: seededRng(3) }, { mode: 'sync', expected: b.device }),
    runSync(b, link.far, { clock, rng: seededRng(4) }, { mode: 'answer' }),
  ]).finally(() => (ended = true));
  for (let turns = 0; !ended; turns++) {
    assert.ok(turns < 20, 'a session without end');
    await settle(12);
    if (!ended) clock.advance(SYNC_IDLE_MS + SYNC_CLOSE_MS);
  }
  return reports;
}

describe('fuzzed sessions', () => {
  const seed = Number(process.env['SEED'] ?? 1 + (Date.now() % 1_000_000));
  const rounds = Number(process.env['ROUNDS'] ?? 150);

  it(`never crash, let nothing wrong in, and recover (SEED=${seed}, ${rounds} rounds)`, async () => {
    const [cleanA, cleanB] = freshPair();
    const frames = (await exchange(cleanA, cleanB)).passed.length;
    const valid = new Set(cleanA.contents());
    const endings = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      const chance = seededRng(Math.imul(seed + round, 2_654_435_761));
      const target = chance.below(frames);
      const mutate = MUTATIONS[chance.below(MUTATIONS.length)] ?? assert.fail();
      const stores = freshPair();
      const reports = await playedOut(stores, (frame, number) =>
        number === target ? mutate(frame, chance) : [frame],
      );
      for (const { error } of reports) {
        const how = error === null ? 'ok' : refusalOf(error);
        endings.set(how, (endings.get(how) ?? 0) + 1);
      }
      const [a, b] = stores;
      const where = `SEED=${seed} round ${round}`;
      for (const store of stores) {
        assert.ok(
          store.contents().every((id) => valid.has(id)),
          where,
        );
      }
      const { near, far } = await exchange(a, b);
      assert.equal(near.error ?? far.error, null, where);
      assert.deepEqual(a.contents(), [...valid].sort(), where);
      assert.deepEqual(b.contents(), [...valid].sort(), where);
      assert.equal(a.blobsWanted(1).length + b.blobsWanted(1).length, 0, where);
    }
    assert.ok((endings.get('protocol') ?? 0) > rounds / 4, 'the mutations are noticed');
  });
});
