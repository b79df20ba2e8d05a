import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8 } from '../../src/core/bytes.js';
import { stamp, type Stamp } from '../../src/core/hlc.js';
import { showId, type NodeId } from '../../src/core/ids.js';
import { NAME_BYTES_MAX } from '../../src/core/limits.js';
import type { NodeType } from '../../src/core/op.js';
import {
  displayNames,
  suffixedName,
  type ShownSibling,
  type Sibling,
} from '../../src/crdt/names.js';
import { log } from './histories.js';

function at(time: number, device = 0): Stamp {
  return stamp(BigInt(time), log(device));
}

/** Ids that differ in the first character that is shown. */
function id(number: number): NodeId {
  return number.toString(16).padStart(2, '0') + '0'.repeat(30);
}

function short(node: NodeId, chars = 10): string {
  return showId(node).slice(0, chars);
}

function file(number: number, name: string, rest: Partial<Sibling> = {}): Sibling {
  const time = at(number);
  return { node: id(number), name, type: 'file', createdAt: time, placedAt: time, ...rest };
}

function folder(number: number, name: string, rest: Partial<Sibling> = {}): Sibling {
  return file(number, name, { type: 'folder', ...rest });
}

function shown(siblings: readonly Sibling[]): Record<string, NodeId> {
  return Object.fromEntries(displayNames(siblings).map((each) => [each.name, each.node]));
}

describe('names of siblings', () => {
  it('stay as they are where each is given once', () => {
    const siblings = [file(2, 'b'), folder(3, 'c'), file(1, 'a')];
    assert.deepEqual(displayNames(siblings), [
      { name: 'a', type: 'file', node: id(1), united: [id(1)] },
      { name: 'b', type: 'file', node: id(2), united: [id(2)] },
      { name: 'c', type: 'folder', node: id(3), united: [id(3)] },
    ]);
  });

  it('folders of one name show as one, the oldest create first', () => {
    const siblings = [folder(9, 'x', { createdAt: at(3) }), folder(5, 'x'), folder(2, 'x')];
    assert.deepEqual(displayNames(siblings), [
      { name: 'x', type: 'folder', node: id(2), united: [id(2), id(9), id(5)] },
    ]);
  });

  it('files of one name and equal bytes show as one', () => {
    const siblings = [file(3, 'x', { contentKey: 'k' }), file(2, 'x', { contentKey: 'k' })];
    assert.deepEqual(displayNames(siblings), [
      { name: 'x', type: 'file', node: id(2), united: [id(2), id(3)] },
    ]);
  });

  it('a link and a file of equal bytes are two', () => {
    const link = file(3, 'x', { contentKey: 'k', type: 'symlink' });
    assert.equal(displayNames([file(2, 'x', { contentKey: 'k' }), link]).length, 2);
  });

  it('of two other files the one named later gets a suffix, however old it is', () => {
    const siblings = [file(1, 'a.md', { placedAt: at(9) }), file(2, 'a.md')];
    assert.deepEqual(shown(siblings), { 'a.md': id(2), [`a~${short(id(1))}.md`]: id(1) });
  });

  it('of three files the one named first keeps the name', () => {
    assert.deepEqual(shown([file(3, 'a'), file(1, 'a'), file(2, 'a')]), {
      a: id(1),
      [`a~${short(id(2))}`]: id(2),
      [`a~${short(id(3))}`]: id(3),
    });
  });

  it('equal files together have had the name since the first of them was named', () => {
    const renamed = file(1, 'a', { contentKey: 'k', placedAt: at(9) });
    const equal = file(2, 'a', { contentKey: 'k' });
    assert.deepEqual(shown([renamed, equal, file(5, 'a', { contentKey: 'other' })]), {
      a: id(1),
      [`a~${short(id(5))}`]: id(5),
    });
  });

  it('a folder keeps its name from a file that was named before it', () => {
    const siblings = [file(1, 'a.md'), folder(2, 'a.md')];
    assert.deepEqual(shown(siblings), { 'a.md': id(2), [`a~${short(id(1))}.md`]: id(1) });
  });

  it('a suffix takes nobody’s real name', () => {
    const taken = file(3, `a~${short(id(2))}.md`);
    assert.deepEqual(shown([file(1, 'a.md'), file(2, 'a.md'), taken]), {
      'a.md': id(1),
      [`a~${short(id(2), 11)}.md`]: id(2),
      [taken.name]: id(3),
    });
  });

  it('a suffix is found even where somebody took every one of them', () => {
    const all = Array.from({ length: 17 }, (_, more) => `a~${short(id(2), 10 + more)}`);
    const full = showId(id(2));
    const names = [...all, `a~${full}~2`, `a~${full}~3`];
    const squatters = names.map((name, index) => file(10 + index, name));
    const names2 = shown([file(1, 'a'), file(2, 'a'), ...squatters]);
    assert.equal(names2[`a~${full}~4`], id(2));
  });

  it('ids that begin alike get longer suffixes', () => {
    const twin = `${id(2).slice(0, 31)}1`;
    const siblings = [file(1, 'a'), file(2, 'a'), file(3, 'a', { node: twin })];
    assert.deepEqual(shown(siblings), {
      a: id(1),
      [`a~${short(id(2))}`]: id(2),
      [`a~${short(twin, 11)}`]: twin,
    });
  });

  const PLACES: readonly (readonly [string, string])[] = [
    ['a.md', 'a~S.md'],
    ['a.tar.gz', 'a.tar~S.gz'],
    ['Makefile', 'Makefile~S'],
    ['.profile', '.profile~S'],
    ['.a.md', '.a~S.md'],
    ['a.', 'a.~S'],
    ['notes 1. with Bob', 'notes 1. with Bob~S'],
  ];
  for (const [name, expected] of PLACES) {
    it(`the suffix of ${name} makes ${expected}`, () => {
      assert.equal(suffixedName(name, 'S'), expected);
    });
  }

  it('a name at the bound loses whole characters before the suffix', () => {
    const name = `${'€'.repeat(84)}.md`; // 252 + 3 bytes
    assert.equal(utf8(name).byteLength, NAME_BYTES_MAX);
    const suffixed = suffixedName(name, '0123456789');
    assert.equal(suffixed, `${'€'.repeat(80)}~0123456789.md`);
    assert.equal(utf8(suffixed).byteLength, 254);
  });

  describe('for any set of siblings', () => {
    const names = ['a', 'a.md', `a~${short(id(1))}`, `a~${short(id(2))}`, `a~${short(id(2))}.md`];
    const sibling: fc.Arbitrary<Sibling> = fc
      .record({
        number: fc.nat(7),
        name: fc.constantFrom(...names, 'x'.repeat(255)),
        type: fc.constantFrom<NodeType>('file', 'file', 'file', 'folder', 'symlink'),
        created: fc.nat(5),
        placed: fc.nat(5),
        content: fc.constantFrom('k', 'l', undefined),
      })
      .map(({ number, name, type, created, placed, content }) => ({
        node: id(number),
        name,
        type,
        createdAt: at(created, 1),
        placedAt: at(placed, 2),
        ...(content === undefined ? {} : { contentKey: content }),
      }));
    const siblingSets = fc
      .uniqueArray(sibling, { maxLength: 12, selector: (each) => each.node })
      .chain((set) =>
        fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length })),
      );

    it('each shows once, under a name of its own, whatever the order', () => {
      const met = { united: 0, suffixed: 0, longer: 0 };
      fc.assert(
        fc.property(siblingSets, ([siblings, shuffled]) => {
          const units = displayNames(siblings);
          assert.deepEqual(displayNames(shuffled), units);
          assert.equal(new Set(units.map((unit) => unit.name)).size, units.length);
          const held = units.flatMap((unit) => unit.united).sort();
          assert.deepEqual(held, siblings.map((each) => each.node).sort());
          for (const unit of units) checkUnit(unit, siblings);
          const real = new Map(siblings.map((each) => [each.node, each.name]));
          for (const unit of units) {
            const name = real.get(unit.node) ?? '';
            if (unit.united.length > 1) met.united++;
            if (unit.name === name) continue;
            met.suffixed++;
            if (unit.name !== suffixedName(name, short(unit.node))) met.longer++;
          }
        }),
        { numRuns: 1_500 },
      );
      for (const [what, count] of Object.entries(met)) assert(count > 50, `only ${count} ${what}`);
    });

    it('every real name is kept by the one with the first right to it', () => {
      fc.assert(
        fc.property(siblingSets, ([siblings]) => {
          const units = displayNames(siblings);
          for (const name of new Set(siblings.map((each) => each.name))) {
            const group = siblings.filter((each) => each.name === name);
            const keeper = units.find((unit) => unit.name === name);
            assert(keeper !== undefined, `nobody keeps ${name}`);
            const folders = group.filter((each) => each.type === 'folder');
            const contenders = folders.length > 0 ? folders : group;
            const first = contenders.map((each) => each.placedAt).sort()[0];
            const kept = contenders.filter((each) => keeper.united.includes(each.node));
            assert(
              kept.some((each) => each.placedAt === first),
              `${name} is kept by a later one`,
            );
          }
        }),
        { numRuns: 500 },
      );
    });
  });
});

/** What a unit unites is alike, its oldest stands for it, and its name fits. */
function checkUnit(unit: ShownSibling, siblings: readonly Sibling[]): void {
  const members = siblings.filter((each) => unit.united.includes(each.node));
  assert.equal(new Set(members.map((each) => `${each.name} ${each.type}`)).size, 1);
  if (unit.type !== 'folder' && members.length > 1) {
    assert.equal(new Set(members.map((each) => each.contentKey)).size, 1);
    assert(members[0]?.contentKey !== undefined, 'files of unknown content united');
  }
  const oldest = members.map((each) => each.createdAt + each.node).sort()[0];
  assert.equal(oldest?.slice(48), unit.node);
  assert(utf8(unit.name).byteLength <= NAME_BYTES_MAX, 'a name over the bound');
}
