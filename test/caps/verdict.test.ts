import assert from 'node:assert/strict';
import type { Group } from '../../src/core/commit.js';
import { HOME_IDS_MAX } from '../../src/core/limits.js';
import { nodeId, type NodeId } from '../../src/core/ids.js';
import type { Op } from '../../src/core/op.js';
import { ACT, type Act } from '../../src/caps/acts.js';
import { authorize, type AuthorityView } from '../../src/caps/verdict.js';
import {
  NOW_MS,
  SALT,
  creator,
  recovery,
  alice,
  bob,
  mallory,
  genesis,
  WS,
  ROOT_CAP,
  RECOVERY_CAP,
  genesisCommit,
  node,
  home,
  forge,
  authorityOf,
  commitOf,
  outcome,
  ops,
  aliceMay,
  may,
} from './fixtures.js';

describe('caps/verdict', () => {
  describe('who', () => {
    const cap = aliceMay('write');

    it('the holder, in the workspace of the capability', () => {
      assert.equal(may(cap, ops.text('a/x')), 'ok');
    });

    it('the creator and the recovery key under what genesis gives them', () => {
      const view = authorityOf([]);
      for (const [signer, root] of [
        [creator, ROOT_CAP],
        [recovery, RECOVERY_CAP],
      ] as const) {
        const commit = commitOf(signer, root, [ops.delete('a'), ops.create('')]);
        assert.equal(outcome(authorize(commit, view)), 'ok');
      }
      const stolen = commitOf(mallory, ROOT_CAP, []);
      assert.equal(outcome(authorize(stolen, view)), 'not_holder');
    });

    it("not another device under somebody's capability", () => {
      const commit = commitOf(bob, cap, [ops.text('a/x')]);
      assert.equal(outcome(authorize(commit, authorityOf([cap]))), 'not_holder');
    });

    it('not under a capability that is nowhere', () => {
      const commit = commitOf(alice, cap, []);
      assert.equal(outcome(authorize(commit, authorityOf([]))), 'cap_missing');
    });

    it('not under a broken chain', () => {
      const self = forge(cap, mallory, mallory);
      const commit = commitOf(mallory, self, []);
      assert.equal(outcome(authorize(commit, authorityOf([cap, self]))), 'wrong_issuer');
    });

    it('not in another workspace (wrong ws)', () => {
      const commit = commitOf(alice, cap, [], { ws: '66'.repeat(32) });
      assert.equal(outcome(authorize(commit, authorityOf([cap]))), 'wrong_workspace');
      const replayed = { ...authorityOf([cap]), ws: '66'.repeat(32) };
      assert.equal(outcome(authorize(commit, replayed)), 'wrong_workspace');
    });

    it('is held under a capability of an unknown kind', () => {
      const commit = commitOf(alice, cap, [ops.text('a/x')]);
      const view = { ...authorityOf([]), capOf: (id: string) => ({ known: false as const, id }) };
      assert.equal(outcome(authorize(commit, view)), 'held unknown_cap');
    });
  });

  describe('when', () => {
    const cap = aliceMay('write', 'a', { nbf: NOW_MS, exp: NOW_MS + 10 });
    const at = (atMs: number): string =>
      outcome(authorize(commitOf(alice, cap, [ops.text('a')], { atMs }), authorityOf([cap])));

    it('from the first millisecond of nbf', () => {
      assert.equal(at(NOW_MS - 1), 'not_yet_valid');
      assert.equal(at(NOW_MS), 'ok');
    });

    it('to the last millisecond before exp', () => {
      assert.equal(at(NOW_MS + 9), 'ok');
      assert.equal(at(NOW_MS + 10), 'expired');
    });

    it('for ever where neither is set', () => {
      const always = aliceMay('write');
      for (const atMs of [0, 2 ** 48 - 1]) {
        const commit = commitOf(alice, always, [ops.text('a')], { atMs });
        assert.equal(outcome(authorize(commit, authorityOf([always]))), 'ok');
      }
    });
  });

  describe('what', () => {
    const cases: readonly [string, Act, Op][] = [
      ['create', 'create', ops.create('a')],
      ['delete', 'delete', ops.delete('a/x')],
      ['revive', 'write', ops.revive('a/x')],
      ['field', 'write', ops.field('a/x')],
      ['attribute', 'write', ops.field('a/x', 0)],
      ['text', 'write', ops.text('a/x')],
    ];
    for (const [name, act, op] of cases) {
      it(`${name} needs ${act} and no other right`, () => {
        assert.equal(may(aliceMay('read', 'a', { act: ACT[act] }), op), 'ok');
        assert.equal(may(aliceMay('read', 'a', { act: 1023 - ACT[act] }), op), 'right_missing');
      });
    }

    it('a move needs write, delete and create, each of them', () => {
      const needed = ACT.write | ACT.delete | ACT.create;
      const move = ops.move('a/x', 'a/y');
      assert.equal(may(aliceMay('read', 'a', { act: needed }), move), 'ok');
      for (const act of [ACT.write, ACT.delete, ACT.create]) {
        assert.equal(may(aliceMay('read', 'a', { act: 1023 - act }), move), 'right_missing');
      }
    });

    it('a device record needs any capability at all', () => {
      assert.equal(may(aliceMay('vote', 'a/x/1'), { op: 'device', name: 'lap' }), 'ok');
    });

    it('the root can neither be moved nor deleted, by nobody', () => {
      const all = aliceMay('write', '');
      assert.equal(may(all, ops.delete('')), 'root_fixed');
      assert.equal(may(all, ops.move('', 'a')), 'root_fixed');
      assert.equal(may(all, ops.field('')), 'ok');
    });

    it('a restriction to fields permits those fields and nothing else', () => {
      const cap = aliceMay('write', 'a', { fields: ['due', 'status'] });
      assert.equal(may(cap, ops.field('a/x', 'status'), ops.field('a/x', 'due')), 'ok');
      const foreign = [
        ops.field('a/x', 'title'),
        ops.field('a/x', 0),
        ops.text('a/x'),
        ops.create('a'),
        ops.delete('a/x'),
        ops.revive('a/x'),
        ops.move('a/x', 'a/y'),
      ];
      for (const op of foreign) assert.equal(may(cap, op), 'outside_fields', op.op);
      assert.equal(may(cap, ops.field('b', 'status')), 'outside_home');
    });

    it('one op without the right takes the whole commit with it', () => {
      const cap = aliceMay('write');
      assert.equal(may(cap, ops.text('a/x'), ops.text('b'), ops.text('a/y')), 'outside_home');
    });
  });

  describe('where', () => {
    const cap = aliceMay('write', 'a');

    it('the folder itself and all below it', () => {
      for (const path of ['a', 'a/x', 'a/x/1']) assert.equal(may(cap, ops.text(path)), 'ok', path);
    });

    it('not above it, beside it, or where the name begins alike (/a against /ab)', () => {
      for (const path of ['', 'b', 'ab', 'ab/x']) {
        assert.equal(may(cap, ops.text(path)), 'outside_home', path);
      }
    });

    it('creates inside the folder only', () => {
      assert.equal(may(cap, ops.create('a')), 'ok');
      assert.equal(may(cap, ops.create('a/x')), 'ok');
      assert.equal(may(cap, ops.create('')), 'outside_home');
      assert.equal(may(cap, ops.create('ab')), 'outside_home');
    });

    it('is held where a worknode, or a parent, is not here', () => {
      assert.equal(may(cap, ops.text('a/unseen')), 'held unknown_home');
      assert.equal(may(cap, ops.create('a/unseen')), 'held unknown_home');
      assert.equal(may(cap, ops.move('a/x', 'a/unseen')), 'held unknown_home');
      assert.equal(may(cap, ops.move('a/unseen', 'b')), 'outside_home');
    });

    it('follows what the commit itself creates, in order', () => {
      const parentOf = (op: Op): string => (op.op === 'create' ? op.parent : '');
      const folder = nodeId(alice.publicKey, SALT, 0, parentOf(ops.create('a')));
      const file = nodeId(alice.publicKey, SALT, 1, folder);
      const inside: Op = { op: 'create', parent: folder, name: 'f', type: 'file' };
      const edit: Op = { ...ops.text('a'), node: file } as Op;
      assert.equal(may(cap, ops.create('a'), inside, edit), 'ok');
      assert.equal(may(cap, ops.create('b'), inside, edit), 'outside_home');
    });

    it(`refuses a worknode nested deeper than ${HOME_IDS_MAX}, and takes one at the bound`, () => {
      const deep = [
        ...home('a'),
        ...Array.from({ length: HOME_IDS_MAX }, (_, at) => node(`d${at}`)),
      ];
      const at = (depth: number): string => {
        const parent = deep[depth - 1] ?? '';
        const more = new Map([[parent, deep.slice(0, depth)]]);
        const op: Op = { op: 'create', parent, name: 'n', type: 'file' };
        return outcome(authorize(commitOf(alice, cap, [op]), authorityOf([cap], more)));
      };
      assert.equal(at(HOME_IDS_MAX - 1), 'ok');
      assert.equal(at(HOME_IDS_MAX), 'home_too_deep');
    });

    it('keeps to the scope of a group, which keeps to the capability', () => {
      const scoped = (path: string, op: Op): string =>
        outcome(authorize(commitOf(alice, cap, [op], { scope: home(path) }), authorityOf([cap])));
      assert.equal(scoped('a/x', ops.text('a/x/1')), 'ok');
      assert.equal(scoped('a/x', ops.text('a/y')), 'outside_scope');
      assert.equal(scoped('a/x', ops.move('a/x/1', 'a/y')), 'outside_scope');
      assert.equal(scoped('', ops.text('a/x')), 'outside_home');
      const empty = commitOf(alice, cap, [], { scope: [] });
      assert.equal(outcome(authorize(empty, authorityOf([cap]))), 'outside_home');
    });
  });

  describe('what this version does not know', () => {
    const cap = aliceMay('write');

    it('is held, control or not', () => {
      for (const kind of [7, 9, 10, 11, 12, 99]) {
        assert.equal(may(cap, ops.text('a/x'), ops.unknown(kind)), 'held unknown_op', `${kind}`);
      }
    });

    it('does not save what is denied for another reason', () => {
      assert.equal(may(cap, ops.unknown(99), ops.text('b')), 'outside_home');
      assert.equal(may(cap, ops.text('b'), ops.unknown(99)), 'outside_home');
    });

    it('groups that are withheld are judged when they come', () => {
      const commit = commitOf(alice, cap, [ops.text('b')]);
      const without = { ...commit, groups: commit.groups.map((): Group | null => null) };
      assert.equal(outcome(authorize(without, authorityOf([cap]))), 'ok');
      assert.equal(outcome(authorize(commit, authorityOf([cap]))), 'outside_home');
    });
  });

  describe('genesis', () => {
    const named: Op = { op: 'genesis', name: 'g', clockAheadMaxMs: 120_000, recovery: null };
    const device: Op = { op: 'device', name: 'desk' };
    const judge = (commit: ReturnType<typeof genesisCommit>, list: readonly Op[], ws = commit.id) =>
      outcome(
        authorize(
          { ...commit, groups: [{ salt: SALT, scope: null, msg: null, ops: list }] },
          { ...authorityOf([]), ws },
        ),
      );

    it("is good as this workspace's first commit", () => {
      assert.equal(genesis.id, WS);
      assert.equal(judge(genesisCommit([named, device]), [named, device]), 'ok');
    });

    it("is not good as another workspace's", () => {
      assert.equal(judge(genesisCommit([named]), [named], WS), 'genesis_misplaced');
    });

    it('has one genesis operation, and nothing but device records beside it', () => {
      for (const list of [[], [device], [named, named], [named, ops.create('')]]) {
        assert.equal(judge(genesisCommit(list), list), 'genesis_misplaced');
      }
    });

    it('has no past', () => {
      const later = genesisCommit([named], { prev: '77'.repeat(32), seq: 1 });
      assert.equal(judge(later, [named]), 'genesis_misplaced');
      const beside = genesisCommit([named], { deps: ['77'.repeat(32)] });
      assert.equal(judge(beside, [named]), 'genesis_misplaced');
    });

    it('is held with an operation of an unknown kind', () => {
      const list = [named, ops.unknown(40)];
      assert.equal(judge(genesisCommit(list), list), 'held unknown_op');
    });

    it('is denied within any other commit', () => {
      assert.equal(may(aliceMay('write,admin', ''), named), 'genesis_misplaced');
      const second = commitOf(creator, ROOT_CAP, [named]);
      assert.equal(outcome(authorize(second, authorityOf([]))), 'genesis_misplaced');
    });
  });

  it('asks a view that is an object of a class like any other', () => {
    const cap = aliceMay('write');
    const plain = authorityOf([]);
    class View implements AuthorityView {
      readonly ws = WS;
      get roots(): AuthorityView['roots'] {
        return plain.roots;
      }
      capOf(): null {
        return null;
      }
      homeOf(id: NodeId): readonly NodeId[] | null {
        return plain.homeOf(id);
      }
    }
    const commit = commitOf(alice, cap, [ops.grant(cap), ops.text('a/x')]);
    assert.equal(outcome(authorize(commit, new View())), 'ok');
  });

  it('every sentence of a refusal ends as one', () => {
    const refused = authorize(commitOf(bob, aliceMay('write'), []), authorityOf([]));
    assert.ok(!refused.ok);
    assert.match(refused.detail, /^[A-Z].*: [0-9a-f]{64}\.$/);
  });
});
