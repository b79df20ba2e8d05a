/** A local network in memory: who announces is told to who looks, after a while each. */
import type { Announcement, Clock, LocalNetwork, Sighting } from '../../src/core/ports.js';

const DELAY_MS = 5;

export class SimLan {
  private readonly told = new Map<Announcement, string>();
  private readonly looking = new Set<(sighting: Sighting) => void>();

  constructor(private readonly clock: Clock) {}

  /** The network as a machine with this address has it. */
  at(host: string): LocalNetwork {
    return {
      announce: (next) => {
        const announcement = next();
        this.told.set(announcement, host);
        for (const seen of this.looking) this.tell(seen, announcement, host);
        return Promise.resolve(() => {
          this.told.delete(announcement);
          return Promise.resolve();
        });
      },
      browse: (seen) => {
        this.looking.add(seen);
        for (const [announcement, from] of this.told) this.tell(seen, announcement, from);
        return Promise.resolve(() => void this.looking.delete(seen));
      },
    };
  }

  /** Whatever somebody may send. */
  say(sighting: Sighting): void {
    for (const seen of this.looking) seen(sighting);
  }

  private tell(seen: (sighting: Sighting) => void, what: Announcement, host: string): void {
    this.clock.after(DELAY_MS, () => {
      if (this.looking.has(seen)) seen({ ...what, host });
    });
  }
}
