/**
 * An anchor and its clients, real processes, killed with SIGKILL at a random moment of a
 * sync: what was acknowledged is held, and the next sync completes. When is up to the
 * machine, so a seed brings back what is done, and not the very moment.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { finished, onlyDocument, startWn } from '../cli/program.js';
import { Device, discard } from '../product/device.js';
import { Seeded } from '../sim/random.js';
import { AnchorProcess } from '../support/anchor.js';
import { lay } from './anchor.js';

const ROUNDS = 8;
const KILL_WITHIN_MS = 900;
const FILE_BYTES_MAX = 300_000;

/** Some rounds on one ground; gives how many kills hit something that was running. */
export async function runAnchorKills(seed: number): Promise<string> {
  const random = new Seeded(seed);
  const ground = await lay(600);
  const { folder, founder } = ground;
  let { anchor } = ground;
  const root = join(folder, 'anchor');
  const workspace = await workspaceOf(founder);
  let acknowledged = await held(root, workspace, folder);
  let hits = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      founder.write(`${round}.bin`, Buffer.alloc(random.int(1, FILE_BYTES_MAX), round));
      await founder.json(['commit']);
      const line = ['--json', '-C', founder.root, 'sync'];
      const child = startWn(line, { env: { WN_HOME: founder.home } });
      const sync = finished(child);
      await new Promise((resolve) => setTimeout(resolve, random.int(100, KILL_WITHIN_MS)));
      const ofAnchor = random.int(0, 1) === 0;
      if (child.exitCode === null) hits += 1;
      if (ofAnchor) {
        await anchor.stop('SIGKILL');
        anchor = await AnchorProcess.start(root, { listen: `127.0.0.1:${anchor.port}` });
      } else {
        child.kill('SIGKILL');
      }
      const { status, stdout } = await sync;
      if (status === 0) acknowledged += sentBy(onlyDocument(stdout).result);
      const now = await held(root, workspace, folder);
      assert.ok(now >= acknowledged, `round ${round}: ${now} of ${acknowledged} commits are left`);
      await founder.json(['sync']);
      acknowledged = await held(root, workspace, folder);
    }
    const mine = (await founder.json(['fsck'])).result;
    assert.equal(acknowledged, mine?.['commits'], 'the anchor holds all that was made');
    return `${hits} of ${ROUNDS} kills hit a sync that ran`;
  } finally {
    await anchor.stop('SIGKILL');
    discard(folder);
  }
}

function sentBy(result: Readonly<Record<string, unknown>> | undefined): number {
  const [remote] = (result?.['remotes'] ?? []) as readonly { readonly sent: number }[];
  return remote?.sent ?? 0;
}

async function workspaceOf(device: Device): Promise<string> {
  const { result } = await device.json(['remote', 'list']);
  const [remote] = (result?.['items'] ?? []) as readonly { readonly url: string }[];
  return remote?.url.replace(/.*\//, '') ?? '';
}

/** Commits in the anchor's own repository, every one of them checked. */
async function held(root: string, workspace: string, folder: string): Promise<number> {
  const inspector = new Device(join(root, workspace), 'inspector', folder);
  const { result } = await inspector.json(['fsck', '--full']);
  assert.deepEqual(result?.['problems'], []);
  return Number(result?.['commits']);
}
