import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Group } from '../../src/core/commit.js';
import { CAP_GRANTS_PER_COMMIT_MAX, HOME_IDS_MAX } from '../../src/core/limits.js';
import { nodeId, type NodeId } from '../../src/core/ids.js';
import type { Op } from '../../src/core/op.js';
import { ACT, parseActs, type Act } from '../../src/caps/acts.js';
import { verifyChain, withCaps, type CapView } from '../../src/caps/attenuate.js';
import { encodeCap, type Cap, type SignedCap } from '../../src/caps/cap.js';
import { invite, redeem } from '../../src/caps/ticket.js';
import { admit, authorize, permits, type AuthorityView } from '../../src/caps/verdict.js';
import {
  alice,
  authorityOf,
  bob,
  commitOf,
  creator,
  fixedRng,
  forge,
  genesis,
  genesisCommit,
  home,
  keyOf,
  mallory,
  node,
  NOW_MS,
  outcome,
  recovery,
  RECOVERY_CAP,
  ROOT,
  ROOT_CAP,
  SALT,
  TREE,
  viewOf,
  WS,
} from './fixtures.js';

const ops = {
  create: (parent: string, name = 'new'): Op => ({
    op: 'create',
    parent: node(parent),
    name,
    type: 'file',
  }),
  move: (path: string, to: string): Op => ({
    op: 'place',
    node: node(path),
    parent: node(to),
    name: 'moved',
  }),
  delete: (path: string): Op => ({ op: 'delete', node: node(path) }),
  revive: (path: string): Op => ({ op: 'revive', node: node(path) }),
  field: (path: string, name: string | number = 'status'): Op => ({
    op: 'field',
    node: node(path),
    path: [name],
    type: 0,
    arg: [[], 'done'],
  }),
  text: (path: string): Op => ({
    op: 'text',
    node: node(path),
    base: null,
    runs: [[0, 'hi']],
    tombstones: false,
  }),
  grant: (cap: SignedCap): Op => ({
    op: 'grant',
    cap: encodeCap(cap.cap),
    sig: cap.sig ?? new Uint8Array(64),
  }),
  unknown: (kind: number): Op => ({ op: 'unknown', kind, raw: [kind, 'anything'] }),
};

/** Alice's capability with some terms of her own, straight from the creator. */
function aliceMay(acts: string, path = 'a', change: Partial<Cap> = {}): SignedCap {
  return forge(ROOT_CAP, creator, alice, { act: parseActs(acts), home: home(path), ...change });
}

/** Alice's verdict for ops under a capability. */
function may(cap: SignedCap, ...list: readonly Op[]): string {
  return outcome(authorize(commitOf(alice, cap, list), authorityOf([cap])));
}

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
      const folder = nodeId(alice.publicKey, SALT, 0);
      const file = nodeId(alice.publicKey, SALT, 1);
      const inside: Op = { op: 'create', parent: folder, name: 'f', type: 'file' };
      const edit: Op = { ...ops.text('a'), node: file } as Op;
      assert.equal(may(cap, ops.create('a'), inside, edit), 'ok');
      assert.equal(may(cap, ops.create('b'), inside, edit), 'outside_home');
    });

    it('is held, and ends, where creates name each other as parents', () => {
      const [first, second] = [0, 1].map((index) => nodeId(alice.publicKey, SALT, index));
      const circle: Op[] = [second, first].map((parent) => ({
        op: 'create',
        parent: parent ?? '',
        name: 'o',
        type: 'folder',
      }));
      assert.equal(may(cap, ...circle), 'held unknown_home');
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

  describe('moves change no authority', () => {
    const mine = aliceMay('write', 'a');

    it('moving a folder into mine gives me nothing', () => {
      assert.equal(may(mine, ops.move('b', 'a')), 'outside_home');
      // Somebody with the right moved it in: its home is still what it was.
      assert.equal(may(mine, ops.text('b')), 'outside_home');
      assert.equal(may(mine, ops.create('b')), 'outside_home');
      assert.equal(may(mine, ops.delete('b/x')), 'outside_home');
    });

    it('moving mine into another folder gives nobody there anything, and needs create there', () => {
      assert.equal(may(mine, ops.move('a/x', 'b')), 'outside_home');
      assert.equal(may(aliceMay('write', 'b'), ops.text('a/x')), 'outside_home');
    });

    it('the holder of a folder can neither move it nor name it into another', () => {
      // Two folders of one name show as one: this rename would put a/x into "y".
      const holder = aliceMay('write', 'a/x');
      assert.equal(may(holder, ops.move('a/x', 'a')), 'outside_home');
      assert.equal(may(holder, ops.move('a/x/1', 'a/x')), 'ok');
    });

    it('a chain of moves through three homes: only where it was created counts', () => {
      // a/x/1 was created in a/x. The creator moves it to b, then to ab, then back.
      const steps = ['b', 'ab', 'a/x'].map((to) => ops.move('a/x/1', to));
      for (const op of steps) {
        const commit = commitOf(creator, ROOT_CAP, [op]);
        assert.equal(outcome(authorize(commit, authorityOf([]))), 'ok');
      }
      // Wherever it shows now, who has its birthplace writes it and may fetch it back.
      const atBirth = aliceMay('write', 'a/x');
      assert.equal(may(atBirth, ops.text('a/x/1')), 'ok');
      assert.equal(may(atBirth, ops.move('a/x/1', 'a/x')), 'ok');
      assert.equal(may(atBirth, ops.move('a/x/1', 'ab')), 'outside_home');
      // Who has a place on the way has nothing of it.
      for (const path of ['b', 'ab']) {
        const onTheWay = aliceMay('write', path);
        assert.equal(may(onTheWay, ops.text('a/x/1')), 'outside_home');
        assert.equal(may(onTheWay, ops.move('a/x/1', path)), 'outside_home');
        assert.equal(may(onTheWay, ops.delete('a/x/1')), 'outside_home');
      }
    });

    it('what a command checks besides: delete where the worknode shows now', () => {
      assert.ok(permits(mine.cap, 'delete', home('a/y')));
      assert.ok(!permits(mine.cap, 'delete', home('b')));
      assert.ok(!permits(mine.cap, 'admin', home('a/y')));
    });
  });

  describe('granting', () => {
    const delegable = aliceMay('write,delegate', 'a');
    const toBob = forge(delegable, alice, bob, { act: ACT.read, home: home('a/x') });

    it('what one holds, to others', () => {
      assert.equal(may(delegable, ops.grant(toBob)), 'ok');
    });

    it('not more than that, nor without the right to delegate', () => {
      assert.equal(may(delegable, ops.grant(forge(delegable, alice, bob))), 'wider_home');
      const plain = aliceMay('write');
      const granted = forge(plain, alice, bob, { act: ACT.read, home: home('a') });
      assert.equal(may(plain, ops.grant(granted)), 'no_delegate');
    });

    it('a commit may bring the whole chain that it acts under', () => {
      const bobs = commitOf(bob, toBob, [ops.grant(delegable), ops.grant(toBob)]);
      assert.equal(outcome(authorize(bobs, authorityOf([]))), 'ok');
      const further = forge(toBob, bob, mallory);
      const grants = [delegable, toBob, further].map(ops.grant);
      const widened = commitOf(bob, toBob, grants);
      assert.equal(outcome(authorize(widened, authorityOf([]))), 'no_delegate');
    });

    it('may carry what others issued', () => {
      const carrier = forge(ROOT_CAP, creator, bob, { act: ACT.read });
      const commit = commitOf(bob, carrier, [ops.grant(delegable), ops.grant(toBob)]);
      assert.equal(outcome(authorize(commit, authorityOf([carrier]))), 'ok');
    });

    it('a capability of an unknown kind grants nothing and harms nobody', () => {
      const odd: Op = { op: 'grant', cap: Uint8Array.of(0x82, 2, 0), sig: new Uint8Array(64) };
      assert.equal(may(delegable, odd, ops.text('a/x')), 'ok');
    });

    it('bytes that are no capability make the commit invalid', () => {
      const junk: Op = { op: 'grant', cap: Uint8Array.of(1), sig: new Uint8Array(64) };
      assert.equal(may(delegable, junk), 'malformed_cap');
    });

    it('a grant with a bad signature makes the commit that brings it invalid', () => {
      assert.equal(may(delegable, ops.grant({ ...toBob, sig: null })), 'bad_signature');
    });

    it(`at most ${CAP_GRANTS_PER_COMMIT_MAX} in one commit`, () => {
      const grants = Array.from({ length: CAP_GRANTS_PER_COMMIT_MAX }, () => ops.grant(toBob));
      assert.equal(may(delegable, ...grants), 'ok');
      assert.equal(may(delegable, ...grants, ops.grant(toBob)), 'too_many_grants');
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

  describe('admission to a session', () => {
    const reader = aliceMay('read', 'a', { exp: NOW_MS });
    const at = (cap: SignedCap, view: CapView, nowMs = NOW_MS - 1): string =>
      outcome(admit(alice.publicKey, cap.id, view, nowMs));

    it('needs a capability that holds now, and lets its holder read', () => {
      assert.equal(at(reader, viewOf(reader)), 'ok');
      assert.equal(at(reader, viewOf(reader), NOW_MS), 'expired');
      assert.equal(at(aliceMay('create'), viewOf(aliceMay('create'))), 'cap_missing');
      const mute = aliceMay('create');
      assert.equal(at(mute, viewOf(mute)), 'right_missing');
      assert.equal(outcome(admit(bob.publicKey, reader.id, viewOf(reader), 0)), 'not_holder');
    });

    it('takes the chain that a newcomer brings', () => {
      assert.equal(at(reader, viewOf()), 'cap_missing');
      assert.equal(at(reader, withCaps(viewOf(), [{ known: true, ...reader }])), 'ok');
      const forged: SignedCap = { ...reader, sig: new Uint8Array(64) };
      assert.equal(at(forged, withCaps(viewOf(), [{ known: true, ...forged }])), 'bad_signature');
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

  it('forty joiners of one ticket, offline, are all members', () => {
    const root = verifyChain(ROOT_CAP, viewOf());
    assert.ok(root.ok);
    const rights = { act: parseActs('write'), home: home('a'), nbf: null, exp: null, fields: null };
    const offer = { name: 'w', addresses: [], ...rights };
    const ticket = invite(root.chain, offer, creator, fixedRng('forty'));
    const ids = new Set<string>();
    for (let count = 0; count < 40; count++) {
      const device = keyOf(`joiner ${count}`);
      const chain = redeem(ticket, device.publicKey, NOW_MS, fixedRng(`joiner ${count}`));
      const own = chain[chain.length - 1];
      assert.ok(own !== undefined);
      ids.add(own.id);
      const first = [...chain.map(ops.grant), { op: 'device' as const, name: `d${count}` }];
      const commit = commitOf(device, own, [...first, ops.text('a/x')]);
      assert.equal(outcome(authorize(commit, authorityOf([]))), 'ok', `joiner ${count}`);
      const beyond = commitOf(device, own, [...first, ops.text('b')]);
      assert.equal(outcome(authorize(beyond, authorityOf([]))), 'outside_home');
    }
    assert.equal(ids.size, 40);
  });

  it('every sentence of a refusal ends as one', () => {
    const refused = authorize(commitOf(bob, aliceMay('write'), []), authorityOf([]));
    assert.ok(!refused.ok);
    assert.match(refused.detail, /^[A-Z].*: [0-9a-f]{64}\.$/);
  });
});

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
