/** A peer under the test's control, against a real answerer: it knows the format and keeps no rule. */
import assert from 'node:assert/strict';
import type { SecureChannel } from '../../src/core/ports.js';
import { decodeMessage } from '../../src/sync/decode.js';
import { blobMark, bound, chained, NO_FRAMES } from '../../src/sync/digest.js';
import { runSync, type SyncReport } from '../../src/sync/driver.js';
import {
  encodeMessage,
  SYNC_VERSIONS,
  type Message,
  type SyncMode,
} from '../../src/sync/frames.js';
import { joinedChannels } from '../../src/sync/path.js';
import type { Run } from '../../src/sync/store.js';
import { seededRng, settle, TestClock } from './channels.js';
import type { MemoryStore } from './memory-store.js';
import { workspaceOf } from './workspace.js';

/** A dialler that speaks as it likes, against a real answerer. */
export class Attacker {
  readonly heard: Message[] = [];
  readonly report: Promise<SyncReport>;
  private readonly channel: SecureChannel;
  private readonly greetings: Uint8Array[] = [];
  private stream: Uint8Array = NO_FRAMES;
  private heardStream: Uint8Array = NO_FRAMES;
  commits = 0;

  constructor(
    readonly self: MemoryStore,
    readonly victim: MemoryStore,
  ) {
    const [near, far] = joinedChannels();
    this.channel = near;
    const ports = { clock: new TestClock(), rng: seededRng(1) };
    this.report = runSync(victim, far, ports, { mode: 'answer' });
    void this.listen();
  }

  private async listen(): Promise<void> {
    for await (const frame of this.channel.frames()) {
      const message = decodeMessage(frame);
      if (message?.type === 'hello') this.greetings.push(frame);
      if (message?.type === 'runs') this.heardStream = chained(this.heardStream, frame);
      if (message !== null) this.heard.push(message);
    }
  }

  /** Sends without waiting for room: a hostile peer has its own buffers. */
  raw(frame: Uint8Array): void {
    void this.channel.send(frame).catch(() => undefined);
  }

  send(message: Message): void {
    const frame = encodeMessage(message);
    if (message.type === 'blob') {
      this.stream = chained(this.stream, blobMark(message.hash, message.bytes));
    } else if (['runs', 'part'].includes(message.type)) {
      this.stream = chained(this.stream, frame);
    }
    if (message.type === 'runs') {
      this.commits += message.runs.reduce((sum, run) => sum + run.payloads.length, 0);
    }
    this.raw(frame);
  }

  async greet(mode: SyncMode = 'sync'): Promise<void> {
    const { workspace, device } = this.self;
    const hello = encodeMessage({
      type: 'hello',
      versions: SYNC_VERSIONS,
      workspace,
      device,
      mode,
      credential: this.self.credential(),
      nonce: new Uint8Array(16),
    });
    this.greetings.unshift(hello);
    this.raw(hello);
    await settle();
  }

  async open(mode: SyncMode = 'sync'): Promise<void> {
    await this.greet(mode);
    this.send({ type: 'have', basis: null, logs: [], last: true });
    await settle();
  }

  end(change: { commits?: number; digest?: Uint8Array } = {}): void {
    const digest = bound(this.greetings, this.stream);
    this.send({ type: 'end', commits: this.commits, satisfied: true, digest, ...change });
  }

  /** A receipt for what was heard, but for the changes. */
  receipt(change: { commits?: number; blobs?: number; digest?: Uint8Array } = {}): void {
    const digest = bound(this.greetings, this.heardStream);
    this.send({ type: 'done', commits: 1, blobs: 0, heldBack: 0, digest, ...change });
  }

  /** Waits for the answerer to give up, and for why; hangs up first where it would wait for more. */
  async refused(why: RegExp): Promise<SyncReport> {
    await settle();
    const spoken = this.heard.at(-1);
    await this.channel.close();
    const report = await this.report;
    assert.match(report.error?.message ?? 'no error', why);
    assert.ok(spoken?.type === 'error', 'the peer is told');
    assert.doesNotMatch(spoken.text, /\//, 'and nothing of this machine');
    return report;
  }
}

export function attack(): Attacker {
  const [a, b] = workspaceOf(['a', 'b']);
  assert.ok(a !== undefined && b !== undefined);
  b.commit();
  return new Attacker(a, b);
}

export function runsOf(store: MemoryStore): readonly Run[] {
  return [...store.since([])];
}

export const NOBODY = {
  dev: '11'.repeat(32),
  epoch: '22'.repeat(8),
  prev: null,
  cap: null,
} as const;
