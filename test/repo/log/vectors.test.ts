/** The segment files of `test/vectors/segments.json`, read as any implementation must. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { toHex } from '../../../src/core/bytes.js';
import { decodePayload, type Place } from '../../../src/core/frame.js';
import { nodeDeflate } from '../../../src/node/deflate.js';
import { encodeSegment, placeAfter, segmentPath } from '../../../src/repo/log/segment.js';
import { LogStore } from '../../../src/repo/log/store.js';
import { MemoryStorage } from './storage.js';

interface Vector {
  readonly name: string;
  readonly form: 'seg' | 'segz';
  readonly hex: string;
  readonly commits: readonly {
    readonly seq: number;
    readonly id: string;
    readonly payload: string;
  }[];
  readonly end: { readonly kind: 'whole' | 'torn' | 'damage'; readonly offset?: number };
}

const FILE = new URL('../../vectors/segments.json', import.meta.url);
const { place: first, vectors } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  place: Place;
  vectors: readonly Vector[];
};

async function read(vector: Vector): Promise<Pick<Vector, 'commits' | 'end'>> {
  const file = segmentPath(first, first.seq, vector.form === 'seg' ? 'tail' : 'sealed');
  const storage = new MemoryStorage(new Map([[file, Buffer.from(vector.hex, 'hex')]]));
  const commits: { seq: number; id: string; payload: string }[] = [];
  let end: Vector['end'] = { kind: 'whole' };
  let place = first;
  for await (const item of new LogStore(storage, nodeDeflate).scan(first)) {
    assert.equal(end.kind, 'whole', 'something follows the end');
    if (item.kind === 'segment') {
      place = item.place;
    } else if (item.kind === 'commit') {
      const commit = decodePayload(item.payload, place);
      commits.push({ seq: item.seq, id: commit.id, payload: toHex(item.payload) });
      place = placeAfter(commit, place);
    } else {
      end = { kind: item.kind, offset: item.offset };
    }
  }
  return { commits, end };
}

describe('segment vectors', () => {
  for (const vector of vectors) {
    it(vector.name, async () => {
      const { commits, end } = vector;
      assert.deepEqual(await read(vector), { commits, end });
    });
  }

  it('are what this program writes', () => {
    const [tail] = vectors;
    const payloads = (tail?.commits ?? []).map(({ payload }) => Buffer.from(payload, 'hex'));
    assert.equal(payloads.length, 2);
    assert.equal(toHex(encodeSegment(first, payloads)), tail?.hex);
  });
});
