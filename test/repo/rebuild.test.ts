/** What an append that never returned left of a log, once the index is built anew from it. */
import assert from 'node:assert/strict';
import { gc } from '../../src/repo/care.js';
import { parseSegmentPath } from '../../src/repo/log/segment.js';
import type { Device } from '../simulation/device.js';
import { World } from '../simulation/world.js';

/** The head of a record of 256 bytes, and one of those. */
const TORN = Uint8Array.of(0, 1, 0, 0, 1, 2, 3, 4, 0x87);

/** The tail of another device's log: this one never appends to it but by a sync. */
async function tailOf(author: Device, { ports }: Device): Promise<string> {
  const tails = (await ports.storage.list('logs')).filter((path) => {
    const found = parseSegmentPath(path);
    return found?.log.dev === author.replica.device && !found.info.sealed;
  });
  assert.equal(tails.length, 1);
  return tails[0] ?? '';
}

describe('rebuild', () => {
  it('cuts the torn end of a log that nobody appends to any more, so that it can be sealed', async () => {
    const world = await World.begin(1, 2);
    const [ann, bea] = [world.device(0), world.device(1)];
    const tail = await tailOf(ann, bea);
    const whole = await bea.ports.storage.size(tail);
    await bea.ports.storage.append(tail, TORN);
    bea.cutPower();
    bea.restart();
    await bea.open();
    assert.equal(await bea.ports.storage.size(tail), whole);
    await gc(bea.replica, 1, 0);
    assert.equal(await bea.ports.storage.size(tail), null);
  });
});
