/** Several sessions of one process over one replica, each frame and each write taking its time. */
import assert from 'node:assert/strict';
import { have } from '../../src/repo/exchange.js';
import { Replica } from '../../src/repo/replica.js';
import { runSync, type SyncReport } from '../../src/sync/driver.js';
import { KeptCheckpoints } from '../../src/sync/kept.js';
import { ReplicaStore } from '../../src/sync/replicastore.js';
import { SharedReplica } from '../../src/sync/shared.js';
import type { Storage } from '../../src/core/ports.js';
import { SimLine } from '../sim/channel.js';
import type { SimClock } from '../sim/clock.js';
import { SimRng, type Seeded } from '../sim/random.js';
import type { Device } from '../simulation/device.js';
import { World } from '../simulation/world.js';

const REMOTES = 3;
const COMMITS_MAX = 6;
const LATENCY_MS = 40;
const WRITE_MS_MAX = 60;

/** Writes that take a while, so that frames come in between. */
function slow(storage: Storage, clock: SimClock, random: Seeded): Storage {
  return new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'append' && name !== 'appendAll') return value.bind(target) as unknown;
      return async (...args: unknown[]): Promise<void> => {
        await clock.sleep(random.int(1, WRITE_MS_MAX));
        await (Reflect.apply(value, target, args) as Promise<void>);
      };
    },
  });
}

async function commitSome(device: Device, random: Seeded): Promise<void> {
  for (let nth = random.int(1, COMMITS_MAX); nth > 0; nth--) {
    const text = `${device.name} ${nth}\n`.repeat(random.int(1, 2_000));
    device.files.save(random.chance(0.3) ? 'shared.md' : `${device.name}.md`, Buffer.from(text));
    device.clock.jump(random.int(1, 2_000));
    await device.work.commit({ message: null });
  }
}

interface Met {
  readonly world: World;
  readonly near: Device;
  readonly reports: readonly SyncReport[];
}

/** One device that syncs with all others at once; afterwards its disk is a quick one again. */
async function meetAll(seed: number, cutChance: number): Promise<Met> {
  const world = await World.begin(seed, 1 + REMOTES);
  const { clock, random, first: near } = world;
  for (const device of world.devices) await commitSome(device, random);
  const storage = slow(near.ports.storage, clock, random.fork());
  await near.replica.close();
  near.run(await Replica.open({ ...near.ports, storage }));
  const shared = new SharedReplica(near.replica, clock);
  const ports = { clock, rng: new SimRng(random.fork()) };
  const reports: SyncReport[] = [];
  const sessions = world.devices.slice(1).map(async (far) => {
    const devices = [near.replica.device, far.replica.device] as const;
    const latencyMs = random.int(0, LATENCY_MS);
    const line = new SimLine({ clock, random: random.fork(), latencyMs, cutChance, devices });
    const kept = new KeptCheckpoints(storage, (peer) => `remotes/peers/${peer}`);
    const [report] = await Promise.all([
      shared.read(() =>
        runSync(shared.store(kept), shared.channel(line.a), ports, { mode: 'sync' }),
      ),
      runSync(new ReplicaStore(far.replica), line.b, ports, { mode: 'answer' }),
    ]);
    reports.push(report);
  });
  const all = Promise.all(sessions);
  await clock.runUntil(() => reports.length === REMOTES);
  await all;
  await near.reopen();
  return { world, near, reports };
}

const heads = (replica: Replica): readonly string[] =>
  have(replica.history)
    .map(({ dev, epoch, seq, head }) => `${dev} ${epoch} ${seq} ${head}`)
    .sort();

describe('many sessions over one replica', function () {
  this.timeout(60_000);

  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`take in all that each remote holds (seed ${seed})`, async () => {
      const { world, near, reports } = await meetAll(seed, 0);
      for (const { error, rejected } of reports) assert.deepEqual([error, rejected], [null, []]);
      for (const far of world.devices.slice(1)) {
        await world.sync(near, far);
        assert.deepEqual(heads(far.replica), heads(near.replica), far.name);
      }
      const rebuilt = await Replica.reindex(near.spare());
      assert.deepEqual(heads(rebuilt), heads(near.replica), 'the logs on disk');
      assert.equal(rebuilt.view.hash(), near.replica.view.hash(), 'the view of the logs on disk');
    });
  }

  for (const seed of [11, 12, 13, 14]) {
    it(`lose nothing where lines are cut (seed ${seed})`, async () => {
      const { world, near, reports } = await meetAll(seed, 0.1);
      for (const { error } of reports) assert.ok(error === null || error.code === 'unreachable');
      const rebuilt = await Replica.reindex(near.spare());
      assert.deepEqual(heads(rebuilt), heads(near.replica), 'the logs on disk');
      for (const far of world.devices.slice(1)) await world.sync(near, far);
      for (const far of world.devices.slice(1)) await world.sync(near, far);
      for (const far of world.devices) {
        assert.deepEqual(heads(far.replica), heads(near.replica), far.name);
      }
    });
  }
});
