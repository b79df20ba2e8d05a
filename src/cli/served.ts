/**
 * A workspace that answers callers, several at a time: they share one replica in turns,
 * hear at once of what another brings or what is committed here, and what comes is written
 * out. It is open while somebody is there.
 */
import type { WnError } from '../core/errors.js';
import { FOLLOW_LOOK_MS } from '../core/limits.js';
import type { SecureChannel } from '../core/ports.js';
import { runSync, type LiveOptions, type SyncReport } from '../sync/driver.js';
import { KeptCheckpoints, peerCheckpointPath } from '../sync/kept.js';
import { SharedReplica } from '../sync/shared.js';
import type { Context } from './context.js';
import { receiveIn } from './exchange.js';
import type { Location } from './location.js';
import { openAt, type Repository } from './repository.js';

export class Served {
  private opened: Promise<OpenWorkspace> | null = null;
  private callers = 0;

  constructor(
    private readonly context: Context,
    private readonly location: Location,
    /** Hears why what came couldn't be written out; it is kept, and written the next time. */
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Runs one session to its end and writes out what came; gives what ended it before its time. */
  async answer(channel: SecureChannel): Promise<WnError | null> {
    this.opened ??= this.open();
    this.callers += 1;
    const { opened } = this;
    try {
      return await (await opened).answer(channel);
    } finally {
      this.callers -= 1;
      if (this.callers === 0) {
        this.opened = null;
        // One that never opened needs no closing.
        await (await opened.catch(() => null))?.close();
      }
      await channel.close();
    }
  }

  private async open(): Promise<OpenWorkspace> {
    const repository = await openAt(this.context, this.location);
    return new OpenWorkspace(this.context, repository, this.failed);
  }
}

class OpenWorkspace {
  private readonly shared: SharedReplica;
  private followers = 0;
  private looking: Promise<void> | null = null;
  private writing: Promise<void> | null = null;
  private unwritten = false;

  constructor(
    private readonly context: Context,
    private readonly repository: Repository,
    private readonly failed: (error: unknown) => void,
  ) {
    this.shared = new SharedReplica(repository.replica, context.clock);
  }

  async answer(channel: SecureChannel): Promise<WnError | null> {
    await this.shared.look();
    const report = await this.exchange(channel);
    if (report.received > 0 || report.blobsReceived > 0) {
      this.shared.announce();
      await this.shared.write(() => receiveIn(this.repository));
    }
    return report.error;
  }

  /** Behind whatever is being done. */
  async close(): Promise<void> {
    await this.looking;
    await this.writing;
    await this.shared.write(() => this.repository.close());
  }

  private async exchange(channel: SecureChannel): Promise<SyncReport> {
    const { shared } = this;
    const { clock, rng, storage } = this.repository.replica.ports;
    const kept = new KeptCheckpoints(storage, peerCheckpointPath);
    let follows = false;
    const live: LiveOptions = {
      listen: (tell) => shared.listen(tell),
      settled: ({ received, blobsReceived }) => {
        follows = true;
        this.followers += 1;
        this.looking ??= this.look().catch(this.failed);
        this.came(received + blobsReceived);
        void kept.save().catch(this.failed);
      },
      moved: (received, _sent, chunks) => this.came(received + chunks),
    };
    const { signal } = this.context.interruption;
    // The line stays open until all is done: that is how the other side knows that it is.
    const line = shared.channel(heldOpen(channel));
    const run = (): Promise<SyncReport> =>
      runSync(shared.store(kept), line, { clock, rng }, { mode: 'answer', signal, live });
    try {
      return await shared.read(run);
    } finally {
      if (follows) this.followers -= 1;
      await kept.save();
    }
  }

  /** Commits or chunks. */
  private came(received: number): void {
    if (received === 0) return;
    this.shared.announce();
    this.unwritten = true;
    this.writing ??= this.write().catch(this.failed);
  }

  /** What comes meanwhile waits for the next round. */
  private async write(): Promise<void> {
    try {
      while (this.unwritten) {
        this.unwritten = false;
        await this.shared.write(() => receiveIn(this.repository));
      }
    } finally {
      this.writing = null;
    }
  }

  /** Tells those who follow of what is committed here. */
  private async look(): Promise<void> {
    try {
      while (this.followers > 0) {
        await this.shared.look();
        await new Promise<void>((resolve) => this.context.clock.after(FOLLOW_LOOK_MS, resolve));
      }
    } finally {
      this.looking = null;
    }
  }
}

function heldOpen(channel: SecureChannel): SecureChannel {
  return {
    peer: channel.peer,
    frames: () => channel.frames(),
    send: (frame) => channel.send(frame),
    close: () => Promise.resolve(),
  };
}
