import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concat, fromHex, toHex } from '../../../src/core/bytes.js';
import { sha256 } from '../../../src/core/crypto.js';
import {
  appended,
  EMPTY_TREE,
  frontierOf,
  hashCount,
  inclusionPath,
  isIncluded,
  leafHash,
  rootOf,
  treeOf,
  wayUp,
} from '../../../src/consensus/strong/merkle.js';

/** The leaves that the implementations of Certificate Transparency test with, and their roots. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(fromHex);
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** RFC 6962, §2.1, word by word. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return sha256(concat([Uint8Array.of(0), only]));
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const halves = [leaves.slice(0, split), leaves.slice(split)].map(naiveRoot);
  return sha256(concat([Uint8Array.of(1), ...halves]));
}

const leaves = fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 80 });

describe('Merkle tree', () => {
  it('has the known roots of 1 to 8 leaves, and the hash of nothing without any', () => {
    assert.equal(
      toHex(rootOf(EMPTY_TREE)),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    let tree = EMPTY_TREE;
    LEAVES.forEach((leaf, at) => {
      tree = appended(tree, leafHash(leaf)).tree;
      assert.equal(toHex(rootOf(tree)), ROOTS[at]);
    });
  });

  it('grows to the root of the definition, and an older frontier stays what it was', () => {
    fc.assert(
      fc.property(leaves, (list) => {
        const trees = [EMPTY_TREE];
        const hashes: Uint8Array[] = [];
        for (const leaf of list) {
          const next = appended(trees.at(-1) ?? EMPTY_TREE, leafHash(leaf));
          trees.push(next.tree);
          hashes.push(...next.hashes);
        }
        trees.forEach((tree, size) => {
          assert.equal(toHex(rootOf(tree)), toHex(naiveRoot(list.slice(0, size))));
          assert.deepEqual(
            frontierOf(size, (at) => hashes[at] ?? new Uint8Array(0)),
            tree,
          );
        });
        assert.equal(hashes.length, hashCount(list.length));
      }),
      { numRuns: 60 },
    );
  });

  it('proves each leaf of each size from kept hashes, and nothing else', () => {
    let refused = 0;
    fc.assert(
      fc.property(leaves, fc.nat(), fc.nat(), fc.nat(255), (list, pick, other, bit) => {
        const hashes: Uint8Array[] = [];
        let tree = EMPTY_TREE;
        for (const leaf of list) {
          const next = appended(tree, leafHash(leaf));
          tree = next.tree;
          hashes.push(...next.hashes);
        }
        const size = 1 + (other % list.length);
        const index = pick % size;
        const path = inclusionPath(index, size, (at) => hashes[at] ?? new Uint8Array(0));
        const root = naiveRoot(list.slice(0, size));
        const leaf = leafHash(list[index] ?? new Uint8Array(0));
        assert.ok(isIncluded(leaf, index, size, path, root));
        const wrong = Uint8Array.from(leaf);
        wrong[bit % 32] = (wrong[bit % 32] ?? 0) ^ 1;
        assert.ok(!isIncluded(wrong, index, size, path, root));
        assert.ok(!isIncluded(leaf, index, size, [...path, leaf], root));
        assert.ok(!isIncluded(leaf, size, size, path, root));
        if (path.length > 0) {
          assert.ok(!isIncluded(leaf, index, size, path.slice(1), root));
          refused++;
        }
      }),
      { numRuns: 200 },
    );
    assert.ok(refused > 50, `only ${refused} paths could be cut`);
  });

  it('gives the way up with as many siblings as are left at each step', () => {
    const tree = treeOf(LEAVES.map(leafHash));
    const way = wayUp(leafHash(LEAVES[5] ?? new Uint8Array(0)), 5, 8, tree.path(5));
    assert.deepEqual(
      way?.map(({ left, place }) => [left, place]),
      [
        [3, 5],
        [2, 2],
        [1, 1],
        [0, 0],
      ],
    );
  });
});
