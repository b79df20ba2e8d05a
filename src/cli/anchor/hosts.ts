/**
 * The workspaces of an anchor: a folder each below its root, opened when somebody comes
 * and shared by all who do. Leaves out who may come.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { showId, type WorkspaceId } from '../../core/ids.js';
import { ANCHOR_IDLE_OPEN_MAX } from '../../core/limits.js';
import { nodeClock } from '../../node/clock.js';
import { Replica } from '../../repo/replica.js';
import { checkFormat } from '../../repo/settings.js';
import { SharedReplica } from '../../sync/shared.js';
import type { Location } from '../location.js';
import { portsOf } from '../repository.js';

/** Where a workspace is, or would be. */
export function placeOfWorkspace(root: string, workspace: WorkspaceId): Location {
  const folder = join(root, showId(workspace));
  return { root: folder, data: join(folder, '.wn') };
}

export function isHosted({ data }: Location): boolean {
  return existsSync(join(data, 'format'));
}

/** One that somebody is connected to; `leave` once when done. */
export interface Hosted {
  readonly shared: SharedReplica;
  readonly leave: () => void;
}

interface Open {
  readonly shared: Promise<SharedReplica>;
  users: number;
}

export class Hosts {
  /** The one that was used last comes last. */
  private readonly open = new Map<WorkspaceId, Open>();

  constructor(
    private readonly root: string,
    private readonly lockTimeoutMs: number,
  ) {}

  get size(): number {
    return this.open.size;
  }

  /** Null for one that isn't hosted here. Throws what keeps it from being opened. */
  async enter(workspace: WorkspaceId): Promise<Hosted | null> {
    const place = placeOfWorkspace(this.root, workspace);
    if (!isHosted(place)) return null;
    const opened = this.open.get(workspace) ?? { shared: this.load(place), users: 0 };
    opened.users += 1;
    this.open.delete(workspace);
    this.open.set(workspace, opened);
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      opened.users -= 1;
      this.closeIdle(ANCHOR_IDLE_OPEN_MAX);
    };
    try {
      return { shared: await opened.shared, leave };
    } catch (error) {
      if (this.open.get(workspace) === opened) this.open.delete(workspace);
      throw error;
    }
  }

  /** Any that is open, to answer those for whom there is none. */
  async enterAny(): Promise<Hosted | null> {
    const [workspace] = this.open.keys();
    return workspace === undefined ? null : this.enter(workspace);
  }

  /** Closes those that nobody uses, the longest unused first, but for `kept`. */
  closeIdle(kept: number): void {
    const idle = [...this.open].filter(([, { users }]) => users === 0);
    for (const [workspace, opened] of idle.slice(0, Math.max(0, idle.length - kept))) {
      this.open.delete(workspace);
      void close(opened);
    }
  }

  async closeAll(): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    await Promise.all(all.map(close));
  }

  private async load(place: Location): Promise<SharedReplica> {
    const ports = portsOf(place);
    await checkFormat(ports.storage);
    return new SharedReplica(await Replica.open(ports, this.lockTimeoutMs), nodeClock);
  }
}

/** Behind whatever is being written. One that never opened needs no closing. */
async function close({ shared }: Open): Promise<void> {
  const opened = await shared.catch(() => null);
  await opened?.write(() => opened.replica.close());
}
