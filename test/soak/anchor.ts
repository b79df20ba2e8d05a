/**
 * Many devices around one anchor, which is a real process. Ten are processes too, each a
 * follower and a batch that commits; a hundred stand in this process, on real sockets and
 * with real repositories, because a hundred processes would measure the machine.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinWorkspace } from '../../src/cli/adopt.js';
import { follow } from '../../src/cli/follow.js';
import { ProcessInterruption } from '../../src/cli/interrupt.js';
import { findRepository } from '../../src/cli/location.js';
import { openAt, type Repository } from '../../src/cli/repository.js';
import { nodeClock } from '../../src/node/clock.js';
import { SharedReplica } from '../../src/sync/shared.js';
import { memoryContext, type MemoryContext } from '../cli/memory.js';
import { Device, discard, scratch } from '../product/device.js';
import { allow, AnchorProcess, eventually } from '../support/anchor.js';
import { AFTER_LAST_PUSH_MS, keepInStep, mib, SPARE_MS } from './followers.js';

const MIB = 1024 * 1024;
const ANCHOR_RSS_MAX = 500 * MIB;
const CLIENT_BYTES_PER_SECOND_MAX = 10 * 1024;
/** Of the memory in the second quarter of a run, what it may have grown by in the last. */
const GROWTH_MAX = 1.2;
/** All hundred fold it and write a file, each with its own disk syncs, in this one process. */
const SECONDS_PER_COMMIT = 5;

export interface Ground {
  readonly folder: string;
  readonly anchor: AnchorProcess;
  readonly founder: Device;
  readonly ticket: string;
}

/** A workspace that an anchor hosts and holds, and a ticket to it. */
export async function lay(seconds: number): Promise<Ground> {
  const folder = scratch();
  const founder = new Device(join(folder, 'founder'), 'founder');
  mkdirSync(founder.root);
  const root = join(folder, 'anchor');
  mkdirSync(root);
  founder.write('readme.md', 'all begin with this\n');
  await founder.json(['init']);
  await founder.json(['commit', '-m', 'import']);
  const workspace = await allow(root, founder, join(folder, 'anchor-ticket'));
  const limits = '{"connectionsPerAddress":1024,"connectionsUnproven":1024}\n';
  founder.in(folder).write('anchor/anchor.json', limits);
  const anchor = await AnchorProcess.start(root, { timeoutMs: seconds * 1000 + SPARE_MS });
  const address = `${anchor.address}/${workspace}`;
  const ticket = join(folder, 'ticket');
  await founder.json(['remote', 'add', 'origin', address]);
  await founder.json(['invite', '--act', 'write', '--via', address, '--out', ticket]);
  await founder.json(['sync']);
  return { folder, anchor, founder, ticket };
}

/** Ten nodes, each committing `perSecond` times a second for `seconds`. */
export async function runTen(seconds: number, nodes = 10, perSecond = 1): Promise<string> {
  const ground = await lay(seconds);
  const { anchor } = ground;
  try {
    const figures = await keepInStep(ground, {
      seconds,
      nodes,
      perSecond,
      lateMsMax: AFTER_LAST_PUSH_MS,
    });
    return `${figures}, the anchor ${mib(anchor.rss)}`;
  } finally {
    await anchor.stop('SIGTERM');
    discard(ground.folder);
  }
}

/** One of the hundred: the client's own code, in this process. */
interface Client {
  readonly repository: Repository;
  readonly shared: SharedReplica;
  readonly context: MemoryContext;
  readonly running: Promise<void>;
}

/** A hundred clients that stay for `seconds`; now and then one commits, and all write that out. */
export async function runHundred(seconds: number, count = 100): Promise<string> {
  const ground = await lay(seconds);
  const { folder, anchor, ticket } = ground;
  const clients: Client[] = [];
  try {
    for (let at = 0; at < count; at++) clients.push(await client(folder, ticket, at));
    const following = (): Promise<boolean> =>
      metric(anchor, 'wn_anchor_following').then((value) => value === count);
    await eventually('all connected', following, 120_000);
    const [beforeBytes, descriptors] = [wireBytes(anchor), anchor.descriptors];
    const rss: number[] = [];
    const startedMs = performance.now();
    const made = Math.ceil(seconds / SECONDS_PER_COMMIT);
    for (let at = 0; at < made; at++) {
      const one = clients[at % count];
      assert.ok(one !== undefined);
      writeFileSync(join(one.repository.location.root, `c${at}.md`), `${at}\n`);
      await one.shared.write(() => one.repository.work.commit({ message: null, unattended: true }));
      one.shared.announce();
      rss.push(anchor.rss);
      const leftMs = startedMs + (at + 1) * 1000 * SECONDS_PER_COMMIT - performance.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, leftMs)));
    }
    const tookSeconds = (performance.now() - startedMs) / 1000;
    const perClient = (wireBytes(anchor) - beforeBytes) / count / tookSeconds;
    await eventually('all commits everywhere', () => clients.every((one) => holds(one, made)));
    const quarter = Math.floor(rss.length / 4);
    const [early, late] = [mean(rss.slice(quarter, 2 * quarter)), mean(rss.slice(-quarter))];
    const figures =
      `${count} clients, ${made} commits in ${tookSeconds.toFixed(0)} s: the anchor at most ` +
      `${mib(Math.max(...rss))} (${mib(early)} in the second quarter, ${mib(late)} in the last), ` +
      `${(perClient / 1024).toFixed(2)} KiB/s for each client, ` +
      `${anchor.descriptors} descriptors (${descriptors} before)`;
    assert.ok(Math.max(...rss) < ANCHOR_RSS_MAX, figures);
    assert.ok(late < GROWTH_MAX * early || late < 0.5 * ANCHOR_RSS_MAX, figures);
    assert.ok(perClient < CLIENT_BYTES_PER_SECOND_MAX, figures);
    assert.ok(anchor.descriptors <= descriptors + 8, figures);
    return figures;
  } finally {
    for (const { context } of clients) context.interruption.interrupt('SIGTERM');
    await Promise.all(clients.map(({ running }) => running.catch(() => undefined)));
    for (const { repository } of clients) await repository.close();
    await anchor.stop('SIGTERM');
    discard(folder);
  }
}

async function client(folder: string, ticket: string, at: number): Promise<Client> {
  const root = join(folder, `c${at}`);
  const context = memoryContext({
    cwd: folder,
    env: { WN_HOME: join(folder, `home-c${at}`) },
    clock: nodeClock,
    lockTimeoutMs: 5_000,
    interruption: new ProcessInterruption(),
  });
  const text = readFileSync(ticket, 'utf8').trim();
  await joinWorkspace(context, text, { dir: root, serveCommand: undefined });
  const repository = await openAt(context, findRepository(root, {}));
  const shared = new SharedReplica(repository.replica, nodeClock);
  const { remotes } = repository.replica.config;
  const running = follow(context, repository, remotes, () => Promise.resolve(), shared);
  return { repository, shared, context, running };
}

function holds({ repository }: Client, count: number): boolean {
  return repository.replica.view.entry(`c${count - 1}.md`) !== null;
}

async function metric({ http }: AnchorProcess, name: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** All that it has read and written, its log and its disk included: what went over the wire is less. */
function wireBytes({ pid }: AnchorProcess): number {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1]);
  return of('rchar') + of('wchar');
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
