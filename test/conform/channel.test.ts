/** The SecureChannel suite over the short channel, the simulated line, and what only that can do. */
import assert from 'node:assert/strict';
import { joinedChannels } from '../../src/sync/path.js';
import { SimLine } from '../sim/channel.js';
import { SimClock } from '../sim/clock.js';
import { Seeded } from '../sim/random.js';
import { describeChannel } from './channel.js';
import { bytes } from './expect.js';

/** Lets a clock run by itself, for tests that only await. */
function running(clock: SimClock): () => void {
  let going = true;
  void (async () => {
    while (going) await clock.advance(1);
  })();
  return () => {
    going = false;
  };
}

describeChannel('two stores in one process', async () => {
  const [a, b] = joinedChannels();
  return { a, b, cut: null, dispose: async () => undefined };
});

describeChannel('simulated line', async () => {
  const clock = new SimClock();
  const line = new SimLine({ clock, random: new Seeded(1), latencyMs: 3, piecesMax: 5 });
  const stop = running(clock);
  return { a: line.a, b: line.b, cut: () => line.cut(), dispose: async () => stop() };
});

describe('simulated line', () => {
  it('names each end to the other', () => {
    const line = new SimLine({
      clock: new SimClock(),
      random: new Seeded(1),
      devices: ['aa', 'bb'],
    });
    assert.deepEqual([line.a.peer, line.b.peer], ['bb', 'aa']);
  });

  it('breaks at random pieces, and never delivers a frame in part or out of turn', async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const clock = new SimClock();
      const line = new SimLine({ clock, random: new Seeded(seed), cutChance: 0.05 });
      const received: number[] = [];
      const reading = (async () => {
        for await (const frame of line.b.frames()) received.push(frame.byteLength);
      })();
      const sending = (async () => {
        for (let index = 0; index < 20; index++) await line.a.send(new Uint8Array(1 + (index % 7)));
        await line.a.close();
      })();
      const ends = Promise.allSettled([reading, sending]);
      await clock.runUntilIdle();
      const broken = (await ends).some(({ status }) => status === 'rejected');
      assert.equal(broken, received.length < 20, `seed ${seed}: ${received.length} frames`);
      assert.deepEqual(
        received,
        received.map((_, index) => 1 + (index % 7)),
        `seed ${seed}`,
      );
      lengths.add(received.length);
    }
    assert(lengths.size > 10, `cuts came after ${[...lengths].join(', ')} frames only`);
    assert(lengths.has(20), 'some lines held');
  });

  it('holds everything back while it is stalled', async () => {
    const clock = new SimClock();
    const line = new SimLine({ clock, random: new Seeded(3) });
    const received: string[] = [];
    void (async () => {
      for await (const frame of line.b.frames()) received.push(Buffer.from(frame).toString());
    })();
    line.stall();
    for (const frame of ['1', '2', '3']) await line.a.send(bytes(frame));
    await clock.advance(1_000);
    assert.deepEqual(received, []);
    line.resume();
    await clock.runUntilIdle();
    assert.deepEqual(received, ['1', '2', '3']);
  });
});
