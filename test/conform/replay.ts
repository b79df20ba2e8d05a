/**
 * Replays a recorded editing session through real repositories: one device for each agent,
 * one commit for each stretch that was typed alone, and what a device hears of the others
 * is what the recording says that it had heard: bundles, written at the moment that the
 * recording names and read when they were heard. So the causality of the logs is exactly
 * the trace's.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { portsOf } from '../../src/cli/repository.js';
import { signerFromSeed, type Signer } from '../../src/core/crypto.js';
import type { NodeId } from '../../src/core/ids.js';
import type { Run } from '../../src/core/op.js';
import { loadOrCreateDeviceKey } from '../../src/node/home.js';
import { openWorkDir } from '../../src/node/workdir.js';
import { have } from '../../src/repo/exchange.js';
import { Replica } from '../../src/repo/replica.js';
import { readBundle, writeBundle } from '../../src/sync/bundle.js';
import { syncStores } from '../../src/sync/path.js';
import { ReplicaStore } from '../../src/sync/replicastore.js';
import type { HaveEntry } from '../../src/sync/store.js';
import { headsOf } from '../../src/tree/project.js';
import { textOps } from '../../src/tree/record.js';
import { WorkCopy } from '../../src/tree/workcopy.js';
import { Machine, workspaceOfOne, type Workspace } from '../commands/machine.js';
import { runsOf } from '../crdt/text/traceops.js';
import type { Trace, Transaction } from '../support/traces.js';
import { planOf, type Plan } from './replayplan.js';

const FILE = 'trace.txt';
const COMMITS_ABOUT = 400;
const LOCK_TIMEOUT_MS = 10_000;

/** What every device has in the end: in its view, in its file, and folded from its logs anew. */
export interface Replayed {
  readonly devices: number;
  readonly commits: number;
  readonly bundles: number;
  readonly texts: readonly string[];
}

/** Of what one person typed in a row, so much makes one commit that there are not over some hundreds. */
export function atOnce({ txns }: Trace): number {
  return Math.max(100, Math.ceil(txns.length / COMMITS_ABOUT));
}

/** `typedAtOnce`: at most so many transactions make one commit. */
export async function replay(trace: Trace, typedAtOnce: number): Promise<Replayed> {
  const plan = planOf(trace.txns, typedAtOnce);
  const workspace = await workspaceOfOne({});
  const sites = await openSites(workspace, plan.agents);
  try {
    const node = await beginDocument(sites);
    const bundles = await type(plan, trace.txns, sites, node);
    await everyoneHearsAll(sites);
    const texts: string[] = [];
    for (const site of sites) texts.push(...(await site.texts(node)));
    return { devices: sites.length, commits: plan.stretches.length, bundles, texts };
  } finally {
    for (const site of sites) await site.replica.close();
    workspace.dispose();
  }
}

class Site {
  /** What each other device was told already. */
  readonly told = new Map<Site, readonly HaveEntry[]>();
  readonly inbox = new Map<number, readonly Uint8Array[]>();

  constructor(
    readonly machine: Machine,
    public replica: Replica,
    readonly work: WorkCopy,
    readonly signer: Signer,
  ) {}

  static async open(machine: Machine): Promise<Site> {
    const { seed } = await loadOrCreateDeviceKey(machine.home, {});
    const signer = signerFromSeed(seed);
    const replica = await Replica.open(Site.ports(machine));
    const dir = openWorkDir(machine.folder, { savedRoot: join(machine.folder, '.wn') });
    const work = new WorkCopy(replica, dir, () => Promise.resolve(signer), LOCK_TIMEOUT_MS);
    return new Site(machine, replica, work, signer);
  }

  static ports({ folder }: Machine) {
    return portsOf({ root: folder, data: join(folder, '.wn') });
  }

  async commit(node: NodeId, runs: readonly Run[]): Promise<void> {
    const { replica } = this;
    await replica.transact(async () => {
      const draft = await replica.author.draft(null);
      for (const op of textOps(replica, node, headsOf(replica, node), runs)) draft.add(op);
      replica.author.commit(draft);
      await replica.flush(this.signer);
    });
  }

  async texts(node: NodeId): Promise<readonly string[]> {
    await this.work.bringInStep();
    const shown = [textOf(this.replica, node), this.machine.read(FILE)];
    await this.replica.close();
    this.replica = await Replica.reindex(Site.ports(this.machine));
    return [...shown, textOf(this.replica, node)];
  }
}

function textOf(replica: Replica, node: NodeId): string {
  const content = replica.view.content(node);
  assert.ok(content.kind === 'text', `the document is ${content.kind}`);
  return content.text;
}

/**
 * A joined device for each of `agents`. Of two that insert in one place the lesser goes first:
 * by agent in the recording, by log here, so agents and logs are put in one order.
 */
async function openSites(
  { machines }: Workspace,
  agents: readonly number[],
): Promise<readonly Site[]> {
  const first = machines[0];
  assert.ok(first !== undefined);
  const ticket = join(first.root, 'ticket');
  await first.ok('invite', '--act', 'write', '--via', first.folder, '--out', ticket);
  const sites = [await Site.open(first)];
  for (let index = 1; index < agents.length; index++) {
    const machine = new Machine(first.root, `device${index}`);
    await machine.ok('join', ticket, machine.folder);
    const site = await Site.open(machine);
    // Its log begins with its first commit, which carries its capability.
    await site.work.change('here', () => undefined);
    sites.push(site);
  }
  const logOf = ({ replica }: Site): string => replica.author.log ?? '';
  sites.sort((a, b) => (logOf(a) < logOf(b) ? -1 : 1));
  const ranks = [...agents.keys()].sort((a, b) => (agents[a] ?? 0) - (agents[b] ?? 0));
  return agents.map((_, device) => sites[ranks.indexOf(device)] as Site);
}

/** The empty document, on every device. */
async function beginDocument(sites: readonly Site[]): Promise<NodeId> {
  const [site] = sites;
  assert.ok(site !== undefined);
  const { work, replica } = site;
  await work.change('begin', (draft) => {
    draft.create(replica.root, FILE, 'file');
  });
  await everyoneHearsAll(sites);
  const entry = replica.view.entry(FILE);
  assert.ok(entry !== null);
  return entry.node;
}

/** Makes the plan's commits; gives the number of bundles that went from device to device. */
async function type(
  plan: Plan,
  txns: readonly Transaction[],
  sites: readonly Site[],
  node: NodeId,
): Promise<number> {
  const siteAt = (device: number): Site => sites[device] as Site;
  let bundles = 0;
  for (const stretch of plan.stretches) {
    const site = siteAt(stretch.device);
    for (const message of stretch.hears) await hear(site, message);
    assert.equal(headsOf(site.replica, node).length, stretch.heads, 'not what was typed on');
    const runs = stretch.members.flatMap((at) => runsOf(txns[at] as Transaction));
    await site.commit(node, runs);
    for (const device of stretch.tells) {
      await tell(site, siteAt(device), stretch.last);
      bundles += 1;
    }
  }
  return bundles;
}

async function tell(from: Site, to: Site, message: number): Promise<void> {
  const pieces: Uint8Array[] = [];
  const since = from.told.get(to) ?? have(to.replica.history);
  for await (const piece of writeBundle(new ReplicaStore(from.replica), since)) pieces.push(piece);
  from.told.set(to, have(from.replica.history));
  to.inbox.set(message, pieces);
}

async function hear(site: Site, message: number): Promise<void> {
  const pieces = site.inbox.get(message);
  assert.ok(pieces !== undefined, `transaction ${message} was not told`);
  site.inbox.delete(message);
  const { pending, rejected } = await readBundle(inPieces(pieces), new ReplicaStore(site.replica));
  assert.deepEqual([pending, rejected], [0, []]);
}

async function* inPieces(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Twice through the first, so that the last has what all have. */
async function everyoneHearsAll([first, ...others]: readonly Site[]): Promise<void> {
  for (const other of [...others, ...others]) {
    assert.ok(first !== undefined);
    const stores = [new ReplicaStore(first.replica), new ReplicaStore(other.replica)] as const;
    const reports = await syncStores(...stores, 'sync', first.replica.ports);
    for (const { error } of [reports.near, reports.far]) if (error !== null) throw error;
  }
}
