import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { NodeId } from '../../src/core/ids.js';
import type { Op } from '../../src/core/op.js';
import { ACT, type Act } from '../../src/caps/acts.js';
import type { Cap } from '../../src/caps/cap.js';
import { authorize } from '../../src/caps/verdict.js';
import {
  creator,
  alice,
  bob,
  mallory,
  ROOT,
  ROOT_CAP,
  node,
  home,
  TREE,
  forge,
  authorityOf,
  commitOf,
  outcome,
  ops,
} from './fixtures.js';

describe('caps/verdict, properties', () => {
  /** All paths at or below one, by walking the tree downwards. */
  function subtree(top: string): readonly string[] {
    const children = TREE.filter((path) => path !== '' && parentOf(path) === top);
    return [top, ...children.flatMap(subtree)];
  }

  function parentOf(path: string): string {
    return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  }

  interface Draft {
    readonly op: Op;
    readonly needs: readonly (readonly [Act, string])[];
    readonly touchesRoot: boolean;
  }

  const anyPath = fc.constantFrom(...TREE);
  const anyOp: fc.Arbitrary<Draft> = fc
    .record({
      kind: fc.constantFrom('create', 'move', 'delete', 'revive', 'field', 'text'),
      path: anyPath,
      to: anyPath,
    })
    .map(({ kind, path, to }): Draft => {
      const plain = { touchesRoot: false };
      if (kind === 'create') return { ...plain, op: ops.create(path), needs: [['create', path]] };
      if (kind === 'revive') return { ...plain, op: ops.revive(path), needs: [['write', path]] };
      if (kind === 'field') return { ...plain, op: ops.field(path), needs: [['write', path]] };
      if (kind === 'text') return { ...plain, op: ops.text(path), needs: [['write', path]] };
      const touchesRoot = path === '';
      if (kind === 'delete') {
        return { touchesRoot, op: ops.delete(path), needs: [['delete', path]] };
      }
      const needs = [
        ['write', path],
        ['delete', parentOf(path)],
        ['create', to],
      ] as const;
      return { touchesRoot, op: ops.move(path, to), needs };
    });

  const ALL: readonly Act[] = ['create', 'write', 'delete'];
  const anyActs: fc.Arbitrary<readonly Act[]> = fc.oneof(
    fc.constant(ALL),
    fc.subarray([...ALL], { minLength: 1 }),
  );

  it('a commit counts iff every op has every right it needs within the folder', () => {
    const seen = { ok: 0, denied: 0 };
    const property = fc.property(
      fc.array(anyOp, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...TREE, '', '', 'a', 'a'),
      anyActs,
      (drafts, top, acts) => {
        const act = acts.reduce((sum, name) => sum + ACT[name], 0);
        const cap = forge(ROOT_CAP, creator, alice, { home: home(top), act });
        const reach = new Set(subtree(top));
        const expected = drafts.every(
          ({ needs, touchesRoot }) =>
            !touchesRoot &&
            needs.every(([right, path]) => acts.some((one) => one === right) && reach.has(path)),
        );
        const commit = commitOf(
          alice,
          cap,
          drafts.map((draft) => draft.op),
        );
        const { ok } = authorize(commit, authorityOf([cap]));
        if (ok) seen.ok++;
        else seen.denied++;
        assert.equal(ok, expected);
      },
    );
    fc.assert(property, { numRuns: 1_000 });
    assert.ok(seen.ok > 50, `${seen.ok} commits counted`);
    assert.ok(seen.denied > 50, `${seen.denied} commits were denied`);
  });

  it('what is known more never turns a verdict round, but settles what was held', () => {
    const chain = [forge(ROOT_CAP, creator, alice, { home: home('a') })];
    chain.push(forge(chain[0] ?? ROOT_CAP, alice, bob, { home: home('a') }));
    const [cap] = chain.slice(1);
    assert.ok(cap !== undefined);
    const seen = { settled: 0, same: 0 };
    const property = fc.property(anyOp, fc.subarray([...TREE]), ({ op }, known) => {
      const commit = commitOf(bob, cap, [op]);
      const all = authorityOf(chain);
      const some = new Set<NodeId>([ROOT, ...known.map(node)]);
      const less = { ...all, homeOf: (id: NodeId) => (some.has(id) ? all.homeOf(id) : null) };
      const [early, late] = [authorize(commit, less), authorize(commit, all)];
      if (!early.ok && early.held) seen.settled++;
      else {
        seen.same++;
        assert.deepEqual(early.ok, late.ok);
      }
    });
    fc.assert(property, { numRuns: 500 });
    assert.ok(seen.settled > 20 && seen.same > 20, JSON.stringify(seen));
  });

  it('terms that were never signed anew grant nothing to their thief', () => {
    const granted = forge(ROOT_CAP, creator, alice, { home: home('a') });
    const property = fc.property(anyPath, fc.integer({ min: 1, max: 1023 }), (top, act) => {
      const cap: Cap = { ...granted.cap, aud: mallory.publicKey, home: home(top), act };
      const stolen = forge(ROOT_CAP, mallory, mallory, { ...cap, iss: creator.publicKey });
      const commit = commitOf(mallory, stolen, [ops.grant(stolen), ops.text(top)]);
      assert.equal(outcome(authorize(commit, authorityOf([granted]))), 'bad_signature');
    });
    fc.assert(property, { numRuns: 200 });
  });
});
