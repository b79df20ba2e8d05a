/** The Storage suite over the real disk and the simulated one. */
import { openStorage } from '../../src/node/storage.js';
import { SimClock } from '../sim/clock.js';
import { SimDisk } from '../sim/disk.js';
import { Seeded } from '../sim/random.js';
import { describeStorage } from './storage.js';
import { removeFolder, smallDisk, tempFolder } from './tempdir.js';

describeStorage('real disk', async (kind) => {
  const disk = kind === 'tiny' ? smallDisk() : null;
  if (kind === 'tiny' && disk === null) return null;
  const folder = disk?.folder ?? tempFolder();
  const opened = [openStorage(folder)];
  const storage = opened[0] ?? openStorage(folder);
  return {
    storage,
    again: () => {
      const other = openStorage(folder);
      opened.push(other);
      return other;
    },
    makeReadOnly: () => {
      storage.close(); // a file that is open for writing keeps its disk writable
      disk?.makeReadOnly();
    },
    dispose: () => {
      for (const each of opened) each.close();
      if (disk === null) removeFolder(folder);
      else disk.unmount();
    },
  };
});

describeStorage('simulated disk', async (kind) => {
  const disk = new SimDisk({ random: new Seeded(1) });
  if (kind === 'tiny') disk.capacityBytes = 100_000;
  return {
    storage: disk.open(),
    again: () => disk.open(),
    makeReadOnly: () => {
      disk.readOnly = true;
    },
    dispose: () => undefined,
  };
});

describeStorage('simulated disk that takes its time', async (kind) => {
  const clock = new SimClock();
  const disk = new SimDisk({ random: new Seeded(2), clock, latencyMs: 5 });
  if (kind === 'tiny') disk.capacityBytes = 100_000;
  let running = true;
  const run = async (): Promise<void> => {
    while (running) await clock.advance(1);
  };
  void run();
  return {
    storage: disk.open(),
    again: () => disk.open(),
    makeReadOnly: () => {
      disk.readOnly = true;
    },
    dispose: () => {
      running = false;
    },
  };
});
