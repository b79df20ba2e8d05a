/**
 * Devices in networks of their own that reach nothing but a relay: each commits and pushes
 * to all others for a while, then every commit must be on every one. Gives the times from
 * the end of the last push until it was.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { Device, discard, scratch } from '../product/device.js';
import { daemon, type Daemon } from '../product/relayed.js';
import { eventually } from '../support/anchor.js';
import { Network, type Node } from '../support/namespaces.js';

const PORT = 5_100;
const ARRIVE_MS = 60_000;

interface Member {
  readonly device: Device;
  readonly node: Node;
  readonly server: Daemon;
}

export interface Figures {
  readonly commits: number;
  /** From the end of the last push until every file stood on every node. */
  readonly arrivedMs: number;
  readonly pushP50Ms: number;
  readonly text: string;
}

/** Commits on `count` nodes at the same time for so many rounds, or seconds. */
export async function runBehindRelay(
  count: number,
  until: { readonly rounds: number } | { readonly seconds: number },
): Promise<Figures> {
  const folder = scratch();
  const network = new Network();
  const daemons: Daemon[] = [];
  try {
    const members = await gather(network, folder, count, daemons);
    assertApart(members);
    const startedMs = performance.now();
    const more = (round: number): boolean =>
      'rounds' in until
        ? round < until.rounds
        : performance.now() - startedMs < 1_000 * until.seconds;
    const written: string[] = [];
    const pushesMs: number[] = [];
    await Promise.all(members.map((member) => work(member, members, more, written, pushesMs)));
    const lastMs = performance.now();
    await eventually('every commit on every node', () => allStand(members, written), ARRIVE_MS);
    const arrivedMs = performance.now() - lastMs;
    await assertSame(members, written.length);
    const pushP50Ms = pushesMs.sort((a, b) => a - b)[pushesMs.length >> 1] ?? 0;
    const text =
      `${count} nodes, ${written.length} commits: all on all ${arrivedMs.toFixed(0)} ms after the ` +
      `last push; commit and push to all took ${pushP50Ms.toFixed(0)} ms (median)`;
    return { commits: written.length, arrivedMs, pushP50Ms, text };
  } finally {
    for (const each of daemons) await each.stop('SIGTERM');
    network.close();
    discard(folder);
  }
}

/** The relay, and nodes on a cable to it, whose devices share a workspace and know each other. */
async function gather(
  network: Network,
  folder: string,
  count: number,
  daemons: Daemon[],
): Promise<readonly Member[]> {
  const middle = network.node('relay');
  const home = join(folder, 'relay');
  const relay = await daemon(['relay', '--listen', `:${PORT}`], home, forLong(middle));
  daemons.push(relay);
  const devices = await workspaceOf(folder, count);
  const members: Member[] = [];
  for (const [i, device] of devices.entries()) {
    const node = network.node(`n${i}`);
    const url = `wn+relay://${network.cross(node, middle)}:${PORT}`;
    const line = ['-C', device.root, 'serve', '--relay', url];
    const server = await daemon(line, device.home, forLong(node));
    daemons.push(server);
    members.push({ device: device.startedBy(node.launcher), node, server });
  }
  for (const [i, { device, server }] of members.entries()) {
    const own = /^[^/]*\/\/[^/]*/.exec(server.address)?.[0] ?? '';
    for (const [k, other] of members.entries()) {
      if (k === i) continue;
      const there = other.server.address.replace(/^[^/]*\/\/[^/]*/, own);
      await device.json(['remote', 'add', `n${k}`, there]);
    }
  }
  return members;
}

const forLong = ({ launcher }: Node) => ({ launcher, timeoutMs: 3_600_000 });

async function workspaceOf(folder: string, count: number): Promise<readonly Device[]> {
  const first = new Device(join(folder, 'n0'), 'n0');
  mkdirSync(first.root);
  await first.json(['init']);
  const ticket = join(folder, 'ticket');
  await first.json(['invite', '--act', 'write', '--via', first.root, '--out', ticket]);
  const devices = [first];
  for (let i = 1; i < count; i++) {
    const device = new Device(join(folder, `n${i}`), `n${i}`);
    await device.in(folder).json(['join', ticket, device.root]);
    await device.json(['remote', 'remove', 'origin']);
    devices.push(device);
  }
  return devices;
}

/** Nothing leads from one to another but the relay. */
function assertApart(members: readonly Member[]): void {
  for (const { node } of members) {
    for (const other of members) {
      if (other === member(node, members)) continue;
      const route = spawnSync('ip', ['-n', node.name, 'route', 'get', other.node.address]);
      assert.notEqual(route.status, 0, `${node.name} has a way to ${other.node.name}`);
    }
  }
}

const member = (node: Node, members: readonly Member[]): Member | undefined =>
  members.find((each) => each.node === node);

async function work(
  { device, node }: Member,
  members: readonly Member[],
  more: (round: number) => boolean,
  written: string[],
  pushesMs: number[],
): Promise<void> {
  for (let round = 0; more(round); round++) {
    const file = `${node.name}-${round}.md`;
    device.write(file, `${file}\n`);
    written.push(file);
    const beganMs = performance.now();
    const { result } = await device.json(['push', '-m', file, '--retry', '30s']);
    pushesMs.push(performance.now() - beganMs);
    assert.equal((result?.['remotes'] as unknown[]).length, members.length - 1);
  }
}

/** What was pushed is written out over there. */
function allStand(members: readonly Member[], files: readonly string[]): boolean {
  return members.every(({ device }) => files.every((file) => existsSync(join(device.root, file))));
}

async function assertSame(members: readonly Member[], files: number): Promise<void> {
  const shown = await Promise.all(
    members.map(async ({ device }) => {
      const { result } = await device.json(['fsck']);
      assert.deepEqual(result?.['problems'], []);
      return {
        viewHash: result['viewHash'],
        frontier: result['frontier'],
        commits: result['commits'],
      };
    }),
  );
  for (const each of shown) assert.deepEqual(each, shown[0]);
  assert.ok(Number(shown[0]?.commits) >= files, 'a commit is missing');
}
