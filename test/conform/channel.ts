/**
 * What every SecureChannel does once both ends are connected. Leaves out who may connect
 * and what the peer is named: each transport proves that in its own way.
 */
import assert from 'node:assert/strict';
import type { SecureChannel } from '../../src/core/ports.js';
import { bytes, rejects, text } from './expect.js';
import { skip } from '../support/skip.js';

export interface ChannelFixture {
  readonly a: SecureChannel;
  readonly b: SecureChannel;
  /** Breaks the connection without a word, as a pulled cable does; null where nothing can. */
  readonly cut: (() => void) | null;
  dispose(): Promise<void>;
}

const FRAME_BYTES = 100_000;

async function take(channel: SecureChannel, count: number): Promise<(string | null)[]> {
  const taken: (string | null)[] = [];
  for await (const frame of channel.frames()) {
    taken.push(text(frame));
    if (taken.length === count) break;
  }
  return taken;
}

async function drain(channel: SecureChannel): Promise<number> {
  let count = 0;
  for await (const frame of channel.frames()) count += frame.byteLength > 0 ? 1 : 0;
  return count;
}

export function describeChannel(name: string, make: () => Promise<ChannelFixture>): void {
  describe(`SecureChannel: ${name}`, () => {
    let fixture: ChannelFixture;
    let a: SecureChannel;
    let b: SecureChannel;

    beforeEach(async () => {
      fixture = await make();
      ({ a, b } = fixture);
    });
    afterEach(() => fixture.dispose());

    it('carries whole frames in order, both ways at once', async () => {
      const sent = Array.from({ length: 40 }, (_, index) =>
        `${index}`.repeat(1 + ((index * 37) % 90)),
      );
      const send = async (channel: SecureChannel): Promise<void> => {
        for (const frame of sent) await channel.send(bytes(frame));
      };
      const [atA, atB] = await Promise.all([take(a, 40), take(b, 40), send(a), send(b)]);
      assert.deepEqual(atA, sent);
      assert.deepEqual(atB, sent);
    });

    it('carries a large frame, and any bytes', async () => {
      const frame = new Uint8Array(FRAME_BYTES).map((_, index) => index % 256);
      const received = (async () => {
        for await (const each of b.frames()) return each;
        return null;
      })();
      await a.send(frame);
      assert.equal(Buffer.compare((await received) ?? bytes(''), frame), 0);
    });

    it('makes the sender wait while nobody reads', async () => {
      const frame = new Uint8Array(FRAME_BYTES);
      let sent = 0;
      const sending = (async () => {
        for (; sent < 200; sent++) await a.send(frame);
      })();
      // All the peer hears of is the first frame; the sender must stop long before its last.
      const frames = b.frames()[Symbol.asyncIterator]();
      await frames.next();
      assert(sent < 200, `${sent} frames of ${FRAME_BYTES} bytes went to nobody`);
      for (let received = 1; received < 200; received++) await frames.next();
      await sending;
      assert.equal(sent, 200);
    });

    it('delivers what was sent before a close, then ends', async () => {
      const received = drain(b);
      for (let index = 0; index < 10; index++) await a.send(bytes('frame'));
      await a.close();
      assert.equal(await received, 10);
      assert.equal(await drain(a), 0, 'the end that closed hears no more');
      await rejects(a.send(bytes('x')), 'unreachable', 'send after our close');
      await rejects(b.send(bytes('x')), 'unreachable', 'send after their close');
      await a.close();
      await b.close();
    });

    it('tells both ends of a cut', async function () {
      if (fixture.cut === null) return skip(this, 'there is no line to cut');
      const [atA, atB] = [drain(a), drain(b)];
      const [heardA, heardB] = [rejects(atA, 'unreachable', 'a'), rejects(atB, 'unreachable', 'b')];
      fixture.cut();
      await Promise.all([heardA, heardB]);
      await rejects(a.send(bytes('x')), 'unreachable', 'send from a');
      await rejects(b.send(bytes('x')), 'unreachable', 'send from b');
      await Promise.all([a.close(), b.close()]);
      return undefined;
    });

    it('frees a sender that waits when the line is cut', async function () {
      if (fixture.cut === null) return skip(this, 'there is no line to cut');
      const frame = new Uint8Array(FRAME_BYTES);
      const sending = (async () => {
        for (let index = 0; index < 1_000; index++) await a.send(frame);
      })();
      const freed = rejects(sending, 'unreachable');
      fixture.cut();
      await freed;
      return undefined;
    });
  });
}
