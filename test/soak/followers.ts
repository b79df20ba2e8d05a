/**
 * Devices around something that they all follow, each two processes: a follower, and a batch
 * that commits. How long after the last push everything is everywhere, and what it takes.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished, startWn } from '../cli/program.js';
import { Device } from '../product/device.js';
import { eventually } from '../support/anchor.js';

const MIB = 1024 * 1024;
const CLIENT_RSS_MAX = 100 * MIB;
/** After the last push everything is everywhere: what a long run asks for. */
export const AFTER_LAST_PUSH_MS = 1_000;
/** For the machine to start and stop all the processes. */
export const SPARE_MS = 600_000;

/** A process of `wn sync --follow`, and when it was told of what. */
class FollowProcess {
  sent = 0;
  received = 0;
  connected = false;
  lastSentMs = 0;
  lastReceivedMs = 0;
  rssMax = 0;
  private readonly child: ReturnType<typeof startWn>;

  constructor(device: Device, timeoutMs: number) {
    const line = ['--json', '-C', device.root, 'sync', '--follow'];
    this.child = startWn(line, { env: { WN_HOME: device.home }, timeoutMs });
    createInterface({ input: this.child.stdout }).on('line', (text) => this.take(text));
  }

  private take(text: string): void {
    const said = JSON.parse(text) as {
      result?: { sent: number; received: number; error: string | null };
    };
    if (said.result === undefined) return;
    const { sent, received, error } = said.result;
    this.connected = error === null;
    if (sent > 0) this.lastSentMs = performance.now();
    if (received > 0) this.lastReceivedMs = performance.now();
    this.sent += sent;
    this.received += received;
    this.look();
  }

  look(): void {
    const status = readFileSync(`/proc/${this.child.pid ?? 0}/status`, 'utf8');
    const rss = 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    this.rssMax = Math.max(this.rssMax, rss);
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}

/**
 * Lets devices join by a ticket and commit `perSecond` times a second for `seconds`; gives
 * the figures. Throws where a commit is late, or missing anywhere, `others` included.
 */
export async function keepInStep(
  { folder, ticket }: { readonly folder: string; readonly ticket: string },
  { seconds, nodes, perSecond, lateMsMax }: Pace,
  others: readonly Device[] = [],
): Promise<string> {
  const followers: FollowProcess[] = [];
  try {
    const devices: Device[] = [];
    for (let at = 0; at < nodes; at++) {
      const device = new Device(join(folder, `n${at}`), `n${at}`, folder);
      await device.in(folder).json(['join', ticket, device.root]);
      devices.push(device);
    }
    for (const device of devices) {
      followers.push(new FollowProcess(device, seconds * 1000 + SPARE_MS));
    }
    await eventually(
      'all connected',
      () => followers.every(({ connected }) => connected),
      SPARE_MS,
    );
    const before = followers.map(({ received }) => received);
    const made = await Promise.all(devices.map((device) => commits(device, seconds, perSecond)));
    const all = made.reduce((sum, count) => sum + count, 0);
    await eventually(
      `all ${all} commits on every node`,
      () =>
        followers.every(
          ({ sent, received }, at) =>
            sent >= (made[at] ?? 0) && received - (before[at] ?? 0) >= all - (made[at] ?? 0),
        ),
      120_000,
    );
    const lastPushMs = Math.max(...followers.map(({ lastSentMs }) => lastSentMs));
    const lateMs = Math.max(...followers.map(({ lastReceivedMs }) => lastReceivedMs)) - lastPushMs;
    const rss = Math.max(...followers.map(({ rssMax }) => rssMax));
    await Promise.all(followers.splice(0).map((follower) => follower.stop()));
    await sameEverywhere([...devices, ...others], all);
    const figures =
      `${nodes} nodes, ${all} commits in ${seconds} s: all on every node ${lateMs.toFixed(0)} ms ` +
      `after the last push; a follower at most ${mib(rss)}`;
    assert.ok(lateMs < (lateMsMax ?? Infinity), figures);
    assert.ok(rss < CLIENT_RSS_MAX, figures);
    return figures;
  } finally {
    await Promise.all(followers.map((follower) => follower.stop()));
  }
}

export interface Pace {
  readonly seconds: number;
  readonly nodes: number;
  /** Commits of each node. */
  readonly perSecond: number;
  /** How late after the last push anything may come; any time if absent. */
  readonly lateMsMax?: number;
}

/** One process that commits at a steady rate; gives how many commits were acknowledged. */
async function commits(device: Device, seconds: number, perSecond: number): Promise<number> {
  const timeoutMs = seconds * 1000 + SPARE_MS;
  const line = ['-C', device.root, '--lock-timeout', '60s', 'batch'];
  const child = startWn(line, { env: { WN_HOME: device.home }, timeoutMs });
  const ended = finished(child);
  const count = Math.round(seconds * perSecond);
  for (let at = 0; at < count; at++) {
    child.stdin.write(`${JSON.stringify(['new', `${device.name}/${at}.md`, '--body', `${at}`])}\n`);
    await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
  }
  child.stdin.end();
  const { stdout, stderr } = await ended;
  const answers = stdout.trimEnd().split('\n');
  const bad = answers.filter((answer) => !(JSON.parse(answer) as { ok: boolean }).ok);
  assert.deepEqual(bad, [], `${device.name}: ${stderr}`);
  assert.equal(answers.length, count, device.name);
  return count;
}

async function sameEverywhere(devices: readonly Device[], all: number): Promise<void> {
  let first: unknown;
  for (const device of devices) {
    const { result } = await device.json(['fsck']);
    first ??= [result?.['frontier'], result?.['viewHash']];
    assert.deepEqual([result?.['frontier'], result?.['viewHash']], first, device.name);
    const files = readdirSync(device.root, { recursive: true, encoding: 'utf8' });
    const made = files.filter((path) => /^n\d+[/\\]\d+\.md$/.test(path)).length;
    assert.equal(made, all, `files of ${device.name}`);
  }
}

export function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
