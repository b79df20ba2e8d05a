/**
 * Devices around one that nobody can connect to, through a relay: real processes. That all
 * keep in step, and that nothing acknowledged is lost when the relay, the one that is served
 * or the one that calls is killed with SIGKILL at a random moment of a sync. When that is,
 * is up to the machine: a seed brings back what is done, and not the very moment.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { finished, onlyDocument, startWn } from '../cli/program.js';
import { Device, discard, scratch } from '../product/device.js';
import { portOf, serveThrough, startRelay, type Daemon } from '../product/relayed.js';
import { Seeded } from '../sim/random.js';
import { keepInStep, SPARE_MS, type Pace } from './followers.js';

const ROUNDS = 8;
const KILL_WITHIN_MS = 1_500;
const FILE_BYTES_MAX = 300_000;

class Ground {
  readonly folder = scratch();
  readonly desk = new Device(join(this.folder, 'desk'), 'desk', this.folder);
  readonly ticket = join(this.folder, 'ticket');
  relay!: Daemon;
  served!: Daemon;
  private port = 0;

  constructor(private readonly timeoutMs: number) {}

  async lay(): Promise<void> {
    mkdirSync(this.desk.root);
    this.desk.write('readme.md', 'all begin with this\n');
    await this.desk.json(['init']);
    await this.desk.json(['commit', '-m', 'import']);
    await this.startRelay();
    await this.serve();
    const { address } = this.served;
    await this.desk.json(['invite', '--act', 'write', '--via', address, '--out', this.ticket]);
  }

  /** At the same port again, once it is known. */
  async startRelay(): Promise<void> {
    const home = join(this.folder, 'home-relay');
    this.relay = await startRelay(home, `127.0.0.1:${this.port}`, [], this.timeoutMs);
    this.port = portOf(this.relay.address);
  }

  async serve(): Promise<void> {
    this.served = await serveThrough(this.desk, this.relay.address, this.timeoutMs);
  }

  async leave(): Promise<void> {
    await Promise.all([this.served.stop('SIGKILL'), this.relay.stop('SIGKILL')]);
    discard(this.folder);
  }
}

/** Nodes that each commit for a while, all through a relay to one that serves. */
export async function runTenRelayed(pace: Pace): Promise<string> {
  const ground = new Ground(pace.seconds * 1000 + SPARE_MS);
  await ground.lay();
  try {
    return await keepInStep(ground, pace, [ground.desk]);
  } finally {
    await ground.leave();
  }
}

/** Some rounds on one ground; tells how many kills hit something that was running. */
export async function runRelayKills(seed: number, rounds = ROUNDS): Promise<string> {
  const random = new Seeded(seed);
  const ground = new Ground(rounds * SPARE_MS);
  await ground.lay();
  const lap = new Device(join(ground.folder, 'lap'), 'lap', ground.folder);
  let hits = 0;
  try {
    await lap.in(ground.folder).json(['join', ground.ticket, lap.root]);
    let acknowledged = await held(ground.desk);
    for (let round = 0; round < rounds; round++) {
      lap.write(`${round}.bin`, Buffer.alloc(random.int(1, FILE_BYTES_MAX), round + 1));
      await lap.json(['commit']);
      const child = startWn(['--json', '-C', lap.root, 'sync'], { env: { WN_HOME: lap.home } });
      const sync = finished(child);
      await new Promise((resolve) => setTimeout(resolve, random.int(100, KILL_WITHIN_MS)));
      if (child.exitCode === null) hits += 1;
      const victim = random.int(0, 2);
      if (victim === 0) child.kill('SIGKILL');
      else await (victim === 1 ? ground.relay : ground.served).stop('SIGKILL');
      const { status, stdout } = await sync;
      if (status === 0) acknowledged += sentBy(onlyDocument(stdout).result);
      const now = await held(ground.desk);
      assert.ok(now >= acknowledged, `round ${round}: ${now} of ${acknowledged} commits are left`);
      if (victim === 1) await ground.startRelay();
      if (victim === 2) await ground.serve();
      await untilMet(lap);
      acknowledged = await held(ground.desk);
      assert.equal(acknowledged, await held(lap), `round ${round}: both hold the same`);
    }
    return `${hits} of ${rounds} kills hit a sync that ran`;
  } finally {
    await ground.leave();
  }
}

/** Syncs until the other is there again: it comes back by itself, and takes its mail until then. */
export async function untilMet(device: Device): Promise<void> {
  for (;;) {
    const { result } = await device.json(['sync', 'origin']);
    if (remoteIn(result)?.['mailbox'] !== true) return;
  }
}

/** What went to the device itself: a mailbox is a cache, and acknowledges for nobody. */
function sentBy(result: Readonly<Record<string, unknown>> | undefined): number {
  const remote = remoteIn(result);
  return remote?.['mailbox'] === true ? 0 : Number(remote?.['sent']);
}

function remoteIn(
  result: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  return (result?.['remotes'] as readonly Readonly<Record<string, unknown>>[])[0];
}

async function held(device: Device): Promise<number> {
  const { result } = await device.json(['fsck']);
  assert.deepEqual(result?.['problems'], []);
  return Number(result?.['commits']);
}
