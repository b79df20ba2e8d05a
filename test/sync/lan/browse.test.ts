/** A look around the local network: when it ends, what it uses, and what it doesn't. */
import assert from 'node:assert/strict';
import {
  LAN_COUNTED_MAX,
  LAN_LOOK_MS,
  LAN_QUIET_MS,
  LAN_SIGHTINGS_MAX,
  PEERS_MAX,
} from '../../../src/core/limits.js';
import type { LocalNetwork, Sighting } from '../../../src/core/ports.js';
import { announcementOf, lanKey } from '../../../src/sync/lan/announcement.js';
import { Look, lookAround, type Around, type LookingFor } from '../../../src/sync/lan/browse.js';
import { SimClock } from '../../sim/clock.js';
import { SimLan } from '../../sim/lan.js';
import { SimRng } from '../../sim/random.js';
import { signerNamed } from '../workspace.js';

const rng = new SimRng(1);
const KEY = lanKey(Buffer.from('genesis'));
const devices = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => signerNamed(`device ${i}`).publicKey);

function sighting(device: string, port = 4_000, host = '192.0.2.9', key = KEY): Sighting {
  return { ...announcementOf(key, device, port, rng), host };
}

describe('a look around', () => {
  const [own, desk, lap] = devices(3) as [string, string, string];
  let clock: SimClock;
  let lan: SimLan;
  beforeEach(() => {
    clock = new SimClock();
    lan = new SimLan(clock);
  });

  const at = (host: string): LocalNetwork => lan.at(host);
  const announce = (device: string, host: string): Promise<() => Promise<void>> =>
    at(host).announce(() => announcementOf(KEY, device, 4_000, rng));

  /** What it finds, and how long it takes. */
  async function look(
    looking: Partial<LookingFor> = {},
    signal?: AbortSignal,
  ): Promise<Around & { readonly ms: number }> {
    const all = { key: KEY, members: [desk, lap], wanted: null, patient: false, ...looking };
    const startMs = clock.monotonicMs();
    let around: Around | null = null;
    void lookAround(at('192.0.2.1'), clock, all, signal).then((found) => (around = found));
    await clock.runUntil(() => around !== null);
    return { ...(around as unknown as Around), ms: clock.monotonicMs() - startMs };
  }

  it('ends at once when every member was seen', async () => {
    await announce(desk, '192.0.2.2');
    await announce(lap, '192.0.2.3');
    const { neighbours, ms } = await look();
    assert.deepEqual(neighbours, [
      { device: desk, places: [{ host: '192.0.2.2', port: 4_000 }] },
      { device: lap, places: [{ host: '192.0.2.3', port: 4_000 }] },
    ]);
    assert.ok(ms < 100, `${ms} ms`);
  });

  it('waits for those who are late as long as it is not quiet, and 5 s for the first', async () => {
    await announce(desk, '192.0.2.2');
    const one = await look();
    assert.ok(one.ms >= LAN_QUIET_MS && one.ms < LAN_QUIET_MS + 100, `${one.ms} ms`);
    clock.after(LAN_QUIET_MS - 10, () => void announce(lap, '192.0.2.3'));
    assert.equal((await look()).neighbours.length, 2);
    lan = new SimLan(clock);
    const none = await look();
    assert.deepEqual([none.neighbours, none.ms], [[], LAN_LOOK_MS]);
  });

  it('ends after 5 s however many come', async () => {
    let coming = true;
    const more = (): void => {
      lan.say(sighting(desk));
      if (coming) clock.after(LAN_QUIET_MS / 2, more);
    };
    clock.after(1, more);
    assert.equal((await look()).ms, LAN_LOOK_MS);
    coming = false;
  });

  it('for one member ends with it, and takes no other; a patient one goes on', async () => {
    await announce(lap, '192.0.2.3');
    await announce(desk, '192.0.2.2');
    const found = await look({ wanted: desk });
    assert.deepEqual(
      found.neighbours.map(({ device }) => device),
      [desk],
    );
    assert.ok(found.ms < 100);
    const patient = await look({ wanted: desk, patient: true });
    assert.ok(patient.ms >= LAN_QUIET_MS);
  });

  it('ends when the command is told to stop, and by the failure to look', async () => {
    const stop = new AbortController();
    clock.after(50, () => stop.abort());
    assert.equal((await look({}, stop.signal)).ms, 50);
    const broken: LocalNetwork = {
      announce: () => Promise.reject(new Error('none')),
      browse: () => Promise.reject(new Error('none')),
    };
    const looking = { key: KEY, members: [], wanted: null, patient: false };
    await assert.rejects(lookAround(broken, clock, looking), /none/);
    await clock.runUntilIdle();
    assert.equal(clock.monotonicMs(), 50, 'no timer is left');
  });

  it('keeps nothing of strangers, and counts members that are not known', () => {
    const seen = new Look({ key: KEY, members: [desk], wanted: null, patient: false });
    const other = lanKey(Buffer.from('another'));
    assert.equal(seen.see(sighting(desk, 4_000, '192.0.2.9', other)), false);
    assert.equal(seen.see(sighting(own)), false);
    const { neighbours, unknown, left, flooded } = seen.result;
    assert.deepEqual([neighbours, unknown, left, flooded], [[], 1, 0, false]);
  });
});

describe('bounds of a look', () => {
  const many = devices(100);
  const looking = { key: KEY, members: many, wanted: null, patient: false };

  it('of a hundred peers 32 are used, and the rest is told', () => {
    const look = new Look(looking);
    for (const device of many) look.see(sighting(device));
    const { neighbours, used, left } = look.result;
    assert.deepEqual([neighbours.length, used, left], [PEERS_MAX, PEERS_MAX, 100 - PEERS_MAX]);
  });

  it('exactly 32 are all used, and one more is told', () => {
    const look = new Look(looking);
    for (const device of many.slice(0, PEERS_MAX)) look.see(sighting(device));
    assert.equal(look.result.left, 0);
    look.see(sighting(many[PEERS_MAX] ?? ''));
    assert.equal(look.result.left, 1);
  });

  it('one member that announces itself a hundred times is one, in 32 places', () => {
    const look = new Look(looking);
    for (let port = 1; port <= 100; port++) look.see(sighting(many[0] ?? '', port));
    const { neighbours, used, left } = look.result;
    assert.deepEqual([neighbours.length, used, left], [1, PEERS_MAX, 68]);
    assert.equal(neighbours[0]?.places.length, PEERS_MAX);
  });

  it('what is repeated counts once, and costs nothing', () => {
    const look = new Look(looking);
    const told = sighting(many[0] ?? '');
    for (let i = 0; i < 2 * LAN_SIGHTINGS_MAX; i++) look.see(told);
    assert.deepEqual([look.result.used, look.result.flooded], [1, false]);
  });

  it('of a flood only so many are examined, and that is told', () => {
    const look = new Look(looking);
    const flood = { instance: 'f'.repeat(32), tag: 'f'.repeat(32), host: '192.0.2.7' };
    for (let i = 1; i < LAN_SIGHTINGS_MAX; i++) look.see({ ...flood, port: (i % 65_535) + 1 });
    assert.equal(look.result.flooded, false);
    look.see({ ...flood, port: 1 });
    assert.equal(look.result.flooded, true);
    assert.equal(look.see(sighting(many[0] ?? '')), false);
  });

  it('what is beyond is counted only so far', () => {
    const one = [many[0] ?? ''];
    const look = new Look({ ...looking, members: one });
    for (let port = 1; port <= PEERS_MAX + LAN_COUNTED_MAX + 5; port++) {
      look.see(sighting(one[0] ?? '', port));
    }
    assert.equal(look.result.left, LAN_COUNTED_MAX);
    const none = new Look({ ...looking, members: [] });
    for (let port = 1; port <= LAN_COUNTED_MAX + 5; port++) {
      none.see(sighting(one[0] ?? '', port));
    }
    assert.equal(none.result.unknown, LAN_COUNTED_MAX);
  });
});
