/** What a check tells of a damaged log when its index is gone, and nobody knows where it ended. */
import assert from 'node:assert/strict';
import { WnError } from '../../src/core/errors.js';
import { fsck } from '../../src/repo/care.js';
import { Replica } from '../../src/repo/replica.js';
import { SimKeyValue } from '../sim/keyvalue.js';
import type { Device } from '../simulation/device.js';
import { World } from '../simulation/world.js';

/** A repository of some commits in two segments, the first sealed. */
async function repository(): Promise<{ device: Device; segments: readonly string[] }> {
  const { first: device } = await World.begin(1, 1);
  for (const [index, text] of ['one\n', 'two\n', 'three\n', 'four\n'].entries()) {
    device.files.save('a.md', text);
    await device.work.commit({ message: null });
    const [log] = await device.replica.store.logs();
    assert(log !== undefined);
    if (index === 1) await device.replica.store.seal(log, 1);
  }
  return { device, segments: await device.ports.storage.list('logs') };
}

/** The files that a check names, after one bit of one of them was flipped. */
async function namedAfterFlip(
  device: Device,
  file: string,
  at: number,
): Promise<readonly string[]> {
  device.disk.flipBit(file, 8 * at);
  const index = new SimKeyValue();
  const ports = { ...device.ports, openIndex: () => Promise.resolve(index) };
  await assert.rejects(
    Replica.reindex(ports, 0),
    (error) => error instanceof WnError && error.code === 'damage',
  );
  const replica = await Replica.reindex(ports, 0, true);
  const { problems } = await fsck(replica, { full: true });
  return problems.map((problem) => problem.file);
}

describe('a check without an index', () => {
  it('calls the last commit damaged, not torn', async () => {
    const { device, segments } = await repository();
    const tail = segments.find((file) => file.endsWith('.seg')) ?? '';
    const bytes = device.disk.bytes(tail)?.byteLength ?? 0;
    assert.deepEqual(await namedAfterFlip(device, tail, bytes - 20), [tail]);
  });

  it('names the damaged segment, and none behind it', async () => {
    const { device, segments } = await repository();
    const sealed = segments.find((file) => file.endsWith('.segz')) ?? '';
    assert.deepEqual(await namedAfterFlip(device, sealed, 30), [sealed]);
  });
});
