/**
 * A consensus group on simulated machines: disks that crash and tear, a network that loses,
 * delays and cuts, one timeline. Members are the product's own; so are ledger and log.
 */
import { hlcFromMs } from '../../../src/core/hlc.js';
import { Member } from '../../../src/consensus/driver/member.js';
import type { Settled } from '../../../src/consensus/strong/aside.js';
import { Ledger } from '../../../src/consensus/strong/ledger.js';
import { encodeRequest, signRequests } from '../../../src/consensus/strong/request.js';
import type {
  Action,
  Member as GroupMember,
  MemberId,
  Request,
  SignedRequest,
} from '../../../src/consensus/strong/types.js';
import { SimClock } from '../../sim/clock.js';
import { SimDisk } from '../../sim/disk.js';
import { Seeded, SimRng } from '../../sim/random.js';
import type { SimStorage } from '../../sim/storage.js';
import {
  add,
  CREATOR,
  GENESIS,
  memberKey,
  memberOf,
  request,
  type Who,
} from '../strong/fixtures.js';

const TICK_MS = 100;
const DELAY_MS_MAX = 10;

export interface Machine {
  readonly id: MemberId;
  readonly disk: SimDisk;
  readonly clock: SimClock;
  storage: SimStorage;
  member: Member | null;
  ledger: Ledger | null;
  error: unknown;
  readonly settled: Settled[];
}

export class Cluster {
  readonly clock = new SimClock();
  readonly machines = new Map<MemberId, Machine>();
  /** Links that lose all: `from>to`. */
  readonly cuts = new Set<string>();
  lossChance = 0;
  private readonly random: Seeded;

  constructor(readonly seed: number) {
    this.random = new Seeded(seed);
  }

  /** A group of one, grown to `count` voters. */
  static async begin(seed: number, count: number): Promise<Cluster> {
    const cluster = new Cluster(seed);
    await cluster.start(1);
    await cluster.leads(1);
    for (let id = 2; id <= count; id++) {
      await cluster.start(id);
      await cluster.done(1, [{ action: 'configure', changes: [add(id)] }]);
      await cluster.clock.advance(TICK_MS * 10);
      await cluster.done(1, [{ action: 'configure', changes: [{ change: 'promote', id }] }]);
    }
    return cluster;
  }

  machine(id: MemberId): Machine {
    const known = this.machines.get(id);
    if (known !== undefined) return known;
    const clock = this.clock.machine(0);
    const disk = new SimDisk({ random: this.random.fork(), clock, latencyMs: 2 });
    const fresh = { id, disk, clock, storage: disk.open() };
    const machine: Machine = { ...fresh, member: null, ledger: null, error: null, settled: [] };
    this.machines.set(id, machine);
    return machine;
  }

  member(id: MemberId): Member {
    const { member } = this.machine(id);
    if (member === null) throw new Error(`member ${id} is down`);
    return member;
  }

  async start(id: MemberId): Promise<void> {
    const machine = this.machine(id);
    const { storage, clock } = machine;
    let begun = false;
    const started = (async () => {
      const ledger = await Ledger.open({ storage, genesis: GENESIS, writer: true });
      machine.ledger = ledger;
      machine.member = await Member.start({
        id,
        ledger,
        storage,
        clock,
        rng: new SimRng(this.random.fork()),
        signer: memberKey(id),
        tickMs: TICK_MS,
        send: (to, frame) => this.carry(id, to, frame),
        expire: () => [],
        settled: (settled) => machine.settled.push(...settled),
        failed: (error) => {
          machine.error = error;
          machine.member = null;
        },
      });
    })().finally(() => (begun = true));
    await this.clock.runUntil(() => begun);
    await started;
  }

  /** The process dies; with `power` so does the machine. */
  crash(id: MemberId, power: boolean): void {
    const machine = this.machine(id);
    const { member } = machine;
    machine.member = null;
    if (member !== null) void member.stop();
    if (power) machine.disk.crash();
    else machine.disk.kill(machine.storage);
    machine.storage = machine.disk.open();
  }

  private carry(from: MemberId, to: GroupMember, frame: Uint8Array): void {
    if (this.cuts.has(`${from}>${to.id}`) || this.random.chance(this.lossChance)) return;
    this.clock.after(this.random.int(0, DELAY_MS_MAX), () => {
      if (this.cuts.has(`${from}>${to.id}`)) return;
      this.machines.get(to.id)?.member?.receive(frame, memberOf(from));
    });
  }

  /** What a client signs. */
  signed(who: Who, actions: readonly Action[], change: Partial<Request> = {}): SignedRequest {
    const made = request(who, actions, { hlc: hlcFromMs(this.clock.wallMs()), ...change });
    const [signed] = signRequests([encodeRequest(made)], who.key);
    if (signed === undefined) throw new Error('nothing signed');
    return signed;
  }

  /** Asks a member and waits for the answer. */
  async ask(id: MemberId, signed: SignedRequest, timeoutMs = 20_000): Promise<Settled> {
    const [answer] = this.member(id).submit([signed], timeoutMs);
    if (answer === undefined) throw new Error('nothing asked');
    let ended = false;
    const watched = answer.finally(() => (ended = true));
    watched.catch(() => undefined);
    await this.clock.runUntil(() => ended);
    return watched;
  }

  async done(id: MemberId, actions: readonly Action[], who = CREATOR): Promise<Settled> {
    const settled = await this.ask(id, this.signed(who, actions));
    if (settled.outcome.outcome !== 'accepted') {
      throw new Error(`entry ${settled.index}: ${JSON.stringify(settled.outcome)}`);
    }
    return settled;
  }

  async leads(id: MemberId): Promise<void> {
    await this.clock.runUntil(() => this.machines.get(id)?.member?.isLeader === true);
  }

  /** Whoever leads, once somebody does and the others up know. */
  async leader(): Promise<Member> {
    const find = (): Member | undefined =>
      [...this.machines.values()]
        .map(({ member }) => member)
        .find((one) => one?.isLeader === true) ?? undefined;
    await this.clock.runUntil(() => find() !== undefined);
    return find() as Member;
  }
}
