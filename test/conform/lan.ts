/** What every `LocalNetwork` must do. */
import assert from 'node:assert/strict';
import type { Announcement, LocalNetwork, Sighting } from '../../src/core/ports.js';

export interface LanUnderTest {
  readonly network: LocalNetwork;
  /** Waits until `done`, as long as such a network takes. */
  until(what: string, done: () => boolean): Promise<void>;
}

let made = 0;

function announcement(port: number): Announcement {
  made += 1;
  const hex = (text: string): string => Buffer.from(text.padEnd(16, '.')).toString('hex');
  return { instance: hex(`${process.pid} ${made}`), tag: hex(`tag ${made}`), port };
}

export function describeLan(name: string, open: () => LanUnderTest): void {
  describe(`LocalNetwork: ${name}`, () => {
    let lan: LanUnderTest;
    const ends: (() => unknown)[] = [];
    before(() => (lan = open()));
    afterEach(async () => {
      for (const end of ends.splice(0)) await end();
    });

    async function announce(what: Announcement): Promise<() => Promise<void>> {
      const stop = await lan.network.announce(() => what);
      ends.push(stop);
      return stop;
    }

    async function browse(): Promise<Map<string, Sighting>> {
      const seen = new Map<string, Sighting>();
      ends.push(await lan.network.browse((sighting) => seen.set(sighting.instance, sighting)));
      return seen;
    }

    it('shows what was announced before, and what is announced meanwhile', async () => {
      const [first, second] = [announcement(1), announcement(65_535)];
      await announce(first);
      const seen = await browse();
      await announce(second);
      const both = [first, second];
      await lan.until('both seen', () => both.every(({ instance }) => seen.has(instance)));
      for (const what of both) {
        const { host, ...told } = seen.get(what.instance) as Sighting;
        assert.deepEqual(told, what);
        assert.match(host, /^\d+\.\d+\.\d+\.\d+$/);
      }
    });

    it('shows nothing that was taken back before', async () => {
      const [gone, there] = [announcement(2), announcement(3)];
      await (
        await announce(gone)
      )();
      await announce(there);
      const seen = await browse();
      await lan.until('the other seen', () => seen.has(there.instance));
      assert.ok(!seen.has(gone.instance));
    });
  });
}
