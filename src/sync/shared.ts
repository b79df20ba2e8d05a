/**
 * One replica that many sessions of a process work on at a time: an anchor's clients, or a
 * follower's remotes and its own working directory. Each gets a store and a channel that
 * keep to turns (`turns.ts`), and hears when another has brought something.
 */
import type { CapView } from '../caps/attenuate.js';
import { viewUnderRootOf } from '../caps/ticket.js';
import { FORWARD_MS } from '../core/limits.js';
import type { Clock, SecureChannel } from '../core/ports.js';
import type { Replica } from '../repo/replica.js';
import type { KeptCheckpoints } from './kept.js';
import { ReplicaStore } from './replicastore.js';
import type { Chunk, Ingested, Run } from './store.js';
import { Turns } from './turns.js';

/** What one session may use up; each is awaited before the work is done. */
export interface Toll {
  readonly bytes: (count: number) => Promise<void>;
  readonly signatures: (count: number) => Promise<void>;
}

const FREE: Toll = { bytes: () => Promise.resolve(), signatures: () => Promise.resolve() };

export class SharedReplica {
  private readonly turns: Turns;
  private readonly listeners = new Set<() => void>();
  private announced = false;

  constructor(
    readonly replica: Replica,
    private readonly clock: Pick<Clock, 'after'>,
  ) {
    this.turns = new Turns(clock);
  }

  /** `tell` runs, between turns, whenever something new is here. Gives what ends that. */
  listen(tell: () => void): () => void {
    this.listeners.add(tell);
    return () => void this.listeners.delete(tell);
  }

  /** There is something new: a little later, with what comes meanwhile, all listeners hear of it. */
  announce(): void {
    if (this.announced) return;
    this.announced = true;
    this.clock.after(FORWARD_MS, () => {
      this.announced = false;
      void this.tell();
    });
  }

  /** Looks for what another process has written; true if something was. */
  async look(): Promise<boolean> {
    await this.turns.reading();
    if (!this.replica.catchUp()) return false;
    await this.tell();
    return true;
  }

  private async tell(): Promise<void> {
    for (const tell of [...this.listeners]) {
      await this.turns.reading();
      tell();
    }
  }

  /** Work on the replica that isn't a session's. */
  write<T>(work: () => Promise<T>): Promise<T> {
    return this.turns.write(work);
  }

  /** Reading that isn't a session's. */
  async read<T>(work: () => T): Promise<T> {
    await this.turns.reading();
    return work();
  }

  /** Without checkpoints for what meets nobody, as mail. */
  store(kept?: KeptCheckpoints, toll: Toll = FREE): ReplicaStore {
    return new SharedStore(this.replica, kept, this.turns, toll);
  }

  /** Hands each frame on between turns, since a session answers it by reading. */
  channel(channel: SecureChannel, toll: Toll = FREE): SecureChannel {
    const { turns } = this;
    return {
      peer: channel.peer,
      send: (frame) => channel.send(frame),
      close: () => channel.close(),
      async *frames() {
        for await (const frame of channel.frames()) {
          await toll.bytes(frame.byteLength);
          await turns.reading();
          yield frame;
        }
      },
    };
  }
}

class SharedStore extends ReplicaStore {
  constructor(
    replica: Replica,
    kept: KeptCheckpoints | undefined,
    private readonly turns: Turns,
    private readonly toll: Toll,
  ) {
    super(replica, kept);
  }

  /** Whoever comes first to one that was joined by a ticket: a member under the ticket's root. */
  protected override viewUnfilled(): CapView | null {
    const caps = this.replica.author.joining?.caps ?? [];
    return caps.length === 0 ? null : viewUnderRootOf(caps);
  }

  override async ingest(runs: readonly Run[]): Promise<Ingested> {
    await this.toll.signatures(runs.length);
    const taken = await this.turns.write(() => super.ingest(runs));
    // One that doesn't verify was tried at each of its signatures.
    if (taken.rejected.length > 0) await this.toll.signatures(commitsIn(runs));
    return taken;
  }

  override writeBlobs(chunks: readonly Chunk[]): Promise<number> {
    return this.turns.write(() => super.writeBlobs(chunks));
  }
}

function commitsIn(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.payloads.length, 0);
}
