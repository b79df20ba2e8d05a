/** Checkpoints on disk: what comes back, and what a damaged file costs. */
import assert from 'node:assert/strict';
import { KEPT_CHECKPOINT_BYTES_MAX } from '../../src/core/limits.js';
import {
  KeptCheckpoints,
  lastPeer,
  peerCheckpointPath,
  remoteCheckpointPath,
  type KeptStorage,
} from '../../src/sync/kept.js';
import type { Checkpoint } from '../../src/sync/store.js';

const [DESK, LAP] = ['d1'.repeat(32), '1a'.repeat(32)];
const checkpoint: Checkpoint = {
  version: 1,
  credential: Uint8Array.of(1, 2, 3),
  have: [{ dev: DESK, epoch: 'ee'.repeat(8), seq: 41, head: 'ab'.repeat(8) }],
};

class Files implements KeptStorage {
  readonly files = new Map<string, Uint8Array>();
  readSync = (path: string, from = 0, to = Infinity): Uint8Array | null =>
    this.files.get(path)?.slice(from, to) ?? null;
  replace = async (path: string, bytes: Uint8Array): Promise<void> => {
    this.files.set(path, bytes);
  };
}

describe('kept checkpoints', () => {
  it('come back whole, each for its own peer', async () => {
    const storage = new Files();
    const kept = new KeptCheckpoints(storage, peerCheckpointPath);
    kept.put(DESK, checkpoint);
    assert.deepEqual(kept.get(DESK), checkpoint, 'before it is saved');
    await kept.save();
    const again = new KeptCheckpoints(storage, peerCheckpointPath);
    assert.deepEqual(again.get(DESK), checkpoint);
    assert.equal(again.get(LAP), null);
  });

  it('of a remote are good for the device that left them, and say which that was', async () => {
    const storage = new Files();
    const path = (): string => remoteCheckpointPath('origin');
    const kept = new KeptCheckpoints(storage, path);
    assert.equal(lastPeer(storage, 'origin'), null);
    kept.put(DESK, checkpoint);
    await kept.save();
    assert.equal(lastPeer(storage, 'origin'), DESK);
    assert.equal(new KeptCheckpoints(storage, path).get(LAP), null);
  });

  it('are not written where nothing has changed', async () => {
    const storage = new Files();
    await new KeptCheckpoints(storage, peerCheckpointPath).save();
    assert.equal(storage.files.size, 0);
  });

  it('count for nothing where the file is damaged, cut or not ours', async () => {
    const storage = new Files();
    const kept = new KeptCheckpoints(storage, peerCheckpointPath);
    kept.put(DESK, checkpoint);
    await kept.save();
    const path = peerCheckpointPath(DESK);
    const good = Buffer.from(storage.files.get(path) ?? []).toString();
    const bad = [
      '',
      'null',
      '[]',
      '{}',
      good.slice(0, -5),
      good.replace('"have":[[', '"have":[['.slice(0, -1)),
      good.replace('41', '"41"'),
      good.replace(/"credential":"\w+"/, '"credential":"xyz"'),
      good.replace('eeee', 'EEEE'),
      good.padEnd(KEPT_CHECKPOINT_BYTES_MAX) + '}',
    ];
    for (const text of bad) {
      storage.files.set(path, Buffer.from(text));
      const read = new KeptCheckpoints(storage, peerCheckpointPath).get(DESK);
      if (text.startsWith(good)) assert.deepEqual(read, checkpoint, 'what is beyond is not read');
      else assert.equal(read, null, text.slice(0, 80));
    }
  });
});
