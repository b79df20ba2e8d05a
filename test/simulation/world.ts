/**
 * A workspace on several simulated devices: the first makes it, the others join by
 * tickets as `wn join` does, and any two can exchange, over a perfect line or a bad
 * one. Everything follows from one seed. Leaves out what users do (`user.ts`) and what
 * must hold in the end (`agreement.ts`).
 */
import { parseActs } from '../../src/caps/acts.js';
import { verifyChain } from '../../src/caps/attenuate.js';
import { encodeCap } from '../../src/caps/cap.js';
import { invite, redeem, type Ticket } from '../../src/caps/ticket.js';
import { adoptWorkspace, createWorkspace } from '../../src/repo/birth.js';
import { runSync, type SyncReport } from '../../src/sync/driver.js';
import { syncStores } from '../../src/sync/path.js';
import { ReplicaStore } from '../../src/sync/replicastore.js';
import { SimLine } from '../sim/channel.js';
import { SimClock } from '../sim/clock.js';
import { Seeded, SimRng } from '../sim/random.js';
import { Device } from './device.js';

/** Clocks differ by less than half the bound on the future, so that nothing is pending. */
const CLOCK_OFF_MAX_MS = 30_000;
const NAMES = ['ann', 'bea', 'cid', 'dan', 'eva'] as const;

export class World {
  readonly random: Seeded;
  readonly clock: SimClock;
  readonly devices: Device[] = [];
  private readonly rng: SimRng;

  private constructor(readonly seed: number) {
    this.random = new Seeded(seed);
    this.clock = new SimClock();
    this.rng = new SimRng(this.random.fork());
  }

  /** A workspace on `count` devices, all in step. */
  static async begin(seed: number, count: number): Promise<World> {
    const world = new World(seed);
    const first = world.addDevice();
    const birth = { name: 'sim', deviceName: first.name, recovery: null };
    first.run(await createWorkspace(first.ports, first.signer, birth));
    const ticket = await world.invite(first);
    for (let index = 1; index < count; index++) await world.join(world.addDevice(), ticket, first);
    return world;
  }

  get first(): Device {
    return this.device(0);
  }

  device(index: number): Device {
    const device = this.devices[index];
    if (device === undefined) throw new Error(`no device ${index}`);
    return device;
  }

  /** The clock of a machine that is as wrong as machines are. */
  machineClock(): SimClock {
    return this.clock.machine(this.random.int(-CLOCK_OFF_MAX_MS, CLOCK_OFF_MAX_MS));
  }

  /** Some time passes for all: now and then less than a file system's clock can tell. */
  passTime(): void {
    const ms = this.random.chance(0.2) ? this.random.int(0, 5) : this.random.int(5, 2_000);
    for (const device of this.devices) device.clock.jump(ms);
  }

  private addDevice(): Device {
    const name = NAMES[this.devices.length] ?? `device ${this.devices.length}`;
    const clock = this.machineClock();
    const device = new Device({ name, random: this.random.fork(), clock });
    this.devices.push(device);
    return device;
  }

  private async invite(by: Device): Promise<Ticket> {
    const { replica, work } = by;
    const own = replica.authority.actingCap(replica.device, by.clock.wallMs());
    const chain = own === null ? null : verifyChain(own, replica.authority);
    if (own === null || chain?.ok !== true) throw new Error(`${by.name} may not invite`);
    const act = parseActs('write');
    const { home, fields } = own.cap;
    const terms = { name: 'sim', addresses: [], act, home, nbf: null, exp: null, fields };
    const ticket = invite(chain.chain, terms, by.signer, this.rng);
    const cap = ticket.caps.at(-1);
    await work.change(null, (draft) => {
      if (cap?.sig != null) draft.add({ op: 'grant', cap: encodeCap(cap.cap), sig: cap.sig });
    });
    return ticket;
  }

  private async join(device: Device, ticket: Ticket, from: Device): Promise<void> {
    const { publicKey } = device.signer;
    const caps = redeem(ticket, publicKey, device.clock.wallMs(), this.rng);
    const config = {
      workspace: ticket.ws,
      name: 'sim',
      device: publicKey,
      remotes: [],
      settings: {},
    };
    device.run(await adoptWorkspace(device.ports, config, { deviceName: device.name, caps }));
    await this.sync(device, from);
  }

  /** Both sides give and take, and bring their files in step. Throws a failure. */
  async sync(near: Device, far: Device): Promise<void> {
    const ports = { clock: near.clock, rng: this.rng };
    const stores = [new ReplicaStore(near.replica), new ReplicaStore(far.replica)] as const;
    const reports = await syncStores(...stores, 'sync', ports);
    for (const report of [reports.near, reports.far]) throwFailure(report);
    await near.work.bringInStep();
    await far.work.bringInStep();
  }

  /** The same over a slow line that is cut with the given chance at each piece. */
  async syncBadly(near: Device, far: Device, cutChance: number): Promise<boolean> {
    const { clock, random, rng } = this;
    const devices = [near.replica.device, far.replica.device] as const;
    const line = new SimLine({ clock, random: random.fork(), cutChance, devices });
    const ends: SyncReport[] = [];
    const run = async (
      device: Device,
      channel: SimLine['a'],
      mode: 'sync' | 'answer',
    ): Promise<void> => {
      ends.push(await runSync(new ReplicaStore(device.replica), channel, { clock, rng }, { mode }));
    };
    const both = Promise.all([run(near, line.a, 'sync'), run(far, line.b, 'answer')]);
    await clock.runUntil(() => ends.length === 2);
    await both;
    for (const report of ends) {
      throwFailure(report.error?.code === 'unreachable' ? { ...report, error: null } : report);
    }
    await near.work.bringInStep();
    await far.work.bringInStep();
    return ends.every((report) => report.ok);
  }
}

function throwFailure({ error, rejected }: SyncReport): void {
  if (error !== null) throw error;
  if (rejected.length > 0) throw new Error(`rejected: ${JSON.stringify(rejected)}`);
}
