/** What an announcement tells members, and what it tells others. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  announcementOf,
  lanKey,
  lanVeilKey,
  recognise,
} from '../../../src/sync/lan/announcement.js';
import { SimRng } from '../../sim/random.js';
import { signerNamed } from '../workspace.js';

const rng = new SimRng(1);
const [A, B, C] = ['a', 'b', 'c'].map((name) => signerNamed(name).publicKey) as [
  string,
  string,
  string,
];
const KEY = lanKey(Buffer.from('genesis'));
const OTHER = lanKey(Buffer.from('genesis of another'));

describe('announcements', () => {
  it('name the device to members, and nobody to others', () => {
    const told = announcementOf(KEY, B, 4_000, rng);
    assert.deepEqual(recognise(KEY, [A, B, C], told), { who: 'member', device: B });
    assert.deepEqual(recognise(KEY, [A, C], told), { who: 'unknown' });
    assert.deepEqual(recognise(OTHER, [A, B, C], told), { who: 'stranger' });
  });

  it('of one device have nothing in common', () => {
    const [one, two] = [announcementOf(KEY, B, 4_000, rng), announcementOf(KEY, B, 4_000, rng)];
    assert.notEqual(one.instance, two.instance);
    for (const half of [0, 16]) {
      assert.notEqual(one.tag.slice(half, half + 16), two.tag.slice(half, half + 16));
    }
  });

  it('hold neither device nor workspace, and show no key', () => {
    const text = JSON.stringify(announcementOf(KEY, B, 4_000, rng));
    assert.equal(text.length, JSON.stringify({ instance: '', tag: '', port: 4_000 }).length + 64);
    for (const secret of [B, Buffer.from(KEY).toString('hex')]) {
      assert.ok(!text.includes(secret.slice(0, 16)));
    }
    assert.notDeepEqual(lanVeilKey(KEY, B), lanVeilKey(KEY, C));
    assert.notDeepEqual(lanVeilKey(KEY, B), lanVeilKey(OTHER, B));
  });

  it('with one character changed, or another port, are nobody that is known', () => {
    const told = announcementOf(KEY, B, 4_000, rng);
    const changed = (text: string, at: number): string =>
      `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
    for (let at = 0; at < 32; at++) {
      const tag = recognise(KEY, [A, B, C], { ...told, tag: changed(told.tag, at) });
      assert.equal(tag.who, at < 16 ? 'stranger' : 'unknown');
      const name = recognise(KEY, [A, B, C], { ...told, instance: changed(told.instance, at) });
      assert.equal(name.who, 'stranger');
    }
    assert.equal(recognise(KEY, [A, B, C], { ...told, port: 4_001 }).who, 'stranger');
  });

  it('of any other form are no announcements', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    const port = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 65_536, NaN, 1.5, Infinity));
    fc.assert(
      fc.property(text, text, port, (instance, tag, port) => {
        assert.equal(recognise(KEY, [A, B], { instance, tag, port }).who, 'stranger');
      }),
    );
    const told = announcementOf(KEY, B, 4_000, rng);
    for (const port of [0, 65_536, -1, 1.5]) {
      assert.equal(recognise(KEY, [B], { ...told, port }).who, 'stranger');
    }
    for (const instance of [`${told.instance}\u001b[2J`, told.instance.toUpperCase(), '']) {
      assert.equal(recognise(KEY, [B], { ...told, instance }).who, 'stranger');
    }
  });
});
