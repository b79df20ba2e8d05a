import assert from 'node:assert/strict';
import { STRONG_FIELDS_PER_NODE_MAX, STRONG_VALUE_KEPT_BYTES } from '../../../src/core/limits.js';
import { parseActs } from '../../../src/caps/acts.js';
import { createdId } from '../../../src/consensus/strong/request.js';
import type { Action, Outcome } from '../../../src/consensus/strong/types.js';
import { changedNode, UNTOUCHED } from '../../../src/consensus/strong/worknodes.js';
import { forge, home, node } from '../../caps/fixtures.js';
import {
  A,
  add,
  ALICE,
  alice,
  B,
  BOB,
  bob,
  C,
  carried,
  CREATOR,
  creator,
  NODES,
  nextNonce,
  NOW_MS,
  ROOT,
  ROOT_CAP,
  set,
  STRONG,
  TestLog,
  word,
  worknode,
  type Who,
} from './fixtures.js';

const STATUS = ['status'];

function effectsOf(outcome: Outcome): unknown {
  assert.equal(outcome.outcome, 'accepted', word(outcome));
  return outcome.outcome === 'accepted' ? outcome.effects : null;
}

function winnerOf(outcome: Outcome): unknown {
  return outcome.outcome === 'rejected' ? outcome.winner : null;
}

const claim = (nodes: readonly string[], leaseMs = 60_000): Action => ({
  action: 'claim',
  nodes,
  leaseMs,
});

describe('evaluation: fields', () => {
  it('a write takes ownership; of two that expect to be first one wins, and the other is told', () => {
    const log = new TestLog();
    const first = { expect: 'unowned', node: A, path: STATUS } as const;
    assert.equal(word(log.expecting(ALICE, [set(A, 'mine')], first)), 'accepted');
    const lost = log.expecting(BOB, [set(A, 'my own')], first);
    assert.equal(word(lost), 'owned');
    assert.deepEqual(winnerOf(lost), {
      index: 1,
      author: alice.publicKey,
      value: 'mine',
      timeMs: NOW_MS,
    });
  });

  it('an expected index is that of the last write', () => {
    const log = new TestLog();
    log.ask(ALICE, [set(A, 1)]);
    const seen = { expect: 'index', node: A, path: STATUS, index: 1 } as const;
    assert.equal(word(log.expecting(BOB, [set(A, 2)], seen)), 'accepted');
    assert.equal(word(log.expecting(ALICE, [set(A, 3)], seen)), 'index');
    assert.equal(word(log.expecting(ALICE, [set(A, 3)], { ...seen, index: 2 })), 'accepted');
    assert.equal(word(log.expecting(ALICE, [set(A, 3)], { ...seen, node: B })), 'index');
  });

  for (const [what, value] of [
    ['a text', 'todo'],
    ['null', null],
    ['a list', [1, ['x']]],
    ['a long text', 'x'.repeat(STRONG_VALUE_KEPT_BYTES)],
    ['a long list', new Array<string>(200).fill('0123456789')],
  ] as const) {
    it(`an expected value, ${what}, is compared whole`, () => {
      const log = new TestLog();
      const write = { action: 'set', node: A, path: STATUS, type: 0, value } as const;
      log.ask(ALICE, [write]);
      const holds = { expect: 'value', node: A, path: STATUS, value } as const;
      assert.equal(word(log.expecting(BOB, [set(B, 1)], holds)), 'accepted');
      for (const other of ['y', undefined, `${'x'.repeat(STRONG_VALUE_KEPT_BYTES - 1)}y`]) {
        const wrong = { ...holds, value: other };
        assert.equal(word(log.expecting(BOB, [set(B, 1)], wrong)), 'value');
      }
    });
  }

  it('a release gives a field up and keeps who wrote it; only what is owned can be released', () => {
    const log = new TestLog();
    const release: Action = { action: 'release', node: A, path: STATUS };
    assert.equal(word(log.ask(ALICE, [release])), 'unowned');
    log.ask(ALICE, [set(A, 1)]);
    assert.deepEqual(effectsOf(log.ask(BOB, [release])), [
      { effect: 'released', node: A, path: STATUS },
    ]);
    assert.equal(word(log.ask(BOB, [release])), 'unowned');
    const stale = { expect: 'index', node: A, path: STATUS, index: 2 } as const;
    assert.equal(word(log.expecting(ALICE, [set(A, 2)], stale)), 'index');
    const free = { expect: 'unowned', node: A, path: STATUS } as const;
    assert.equal(word(log.expecting(ALICE, [set(A, 2)], free)), 'accepted');
  });

  it('an unset field is owned and has no value', () => {
    const log = new TestLog();
    log.ask(ALICE, [{ action: 'set', node: A, path: STATUS, type: 0, value: undefined }]);
    const unset = { expect: 'value', node: A, path: STATUS, value: undefined } as const;
    assert.equal(word(log.expecting(BOB, [set(B, 1)], unset)), 'accepted');
    const owned = { expect: 'unowned', node: A, path: STATUS } as const;
    assert.equal(word(log.expecting(BOB, [set(A, 1)], owned)), 'owned');
  });

  it('fields whose paths look alike are different ones', () => {
    const log = new TestLog();
    log.ask(ALICE, [set(A, 1, ['a', 'b'])]);
    const other = { expect: 'unowned', node: A, path: ['a","b'] } as const;
    assert.equal(word(log.expecting(BOB, [set(A, 2, ['a","b'])], other)), 'accepted');
  });

  it('a worknode has at most so many owned fields', () => {
    const log = new TestLog();
    const fields = Array.from({ length: STRONG_FIELDS_PER_NODE_MAX }, (_, at) =>
      set(A, at, [`f${at}`]),
    );
    assert.equal(word(log.ask(ALICE, fields)), 'accepted');
    assert.equal(word(log.ask(ALICE, [set(A, 1, ['one more'])])), 'full');
    assert.equal(word(log.ask(ALICE, [set(A, 1, ['f0'])])), 'accepted');
  });

  it('a group holds at most so many worknodes', () => {
    const { nodes } = new TestLog().state;
    const state = { ...UNTOUCHED, created: 1 };
    const one = changedNode(nodes, A, state, [], 1);
    assert.ok(one.ok);
    assert.ok(changedNode(one.nodes, A, state, [], 1).ok);
    const second = changedNode(one.nodes, B, state, [], 1);
    assert.equal(second.ok ? '' : second.reason, 'full');
  });
});

describe('evaluation: all or none', () => {
  it('one action that fails leaves no trace of those before it', () => {
    const log = new TestLog();
    const release: Action = { action: 'release', node: B, path: STATUS };
    assert.equal(word(log.ask(ALICE, [set(A, 1), release])), 'unowned');
    assert.equal(log.state.nodes.size, 0);
  });

  it('a request may write what it creates, and create in it', () => {
    const log = new TestLog();
    const nonce = nextNonce();
    const origin = { author: alice.publicKey, nonce };
    const folder = createdId(origin, 0, A);
    const file = createdId(origin, 1, folder);
    const outcome = log.ask(
      ALICE,
      [
        { action: 'create', parent: A, name: 'folder', type: 'folder' },
        { action: 'create', parent: folder, name: 'file.md', type: 'file' },
        set(file, 'todo'),
      ],
      { nonce },
    );
    assert.deepEqual(
      (effectsOf(outcome) as { effect: string; node: string }[]).map((one) => [
        one.effect,
        one.node,
      ]),
      [
        ['created', folder],
        ['created', file],
        ['set', file],
      ],
    );
    const again = log.ask(BOB, [set(file, 'done')]);
    assert.equal(word(again), 'home', 'another has to prove its home');
    const [a] = NODES;
    const proven = [
      ...(a?.home ?? []),
      { device: alice.publicKey, salt: nonce, index: 0 },
      { device: alice.publicKey, salt: nonce, index: 1 },
    ];
    assert.equal(word(log.ask(BOB, [set(file, 'done')], { homes: [proven] })), 'accepted');
  });

  it('no worknode is created twice', () => {
    const log = new TestLog();
    const nonce = nextNonce();
    const create: Action = { action: 'create', parent: A, name: 'x', type: 'file' };
    assert.equal(word(log.ask(ALICE, [create], { nonce })), 'accepted');
    assert.equal(word(log.ask(ALICE, [{ ...create, name: 'y' }], { nonce })), 'exists');
  });
});

describe('evaluation: deletion', () => {
  it('is final: nothing is written, claimed, created or deleted there any more', () => {
    const log = new TestLog();
    log.ask(ALICE, [set(A, 1), claim([A])]);
    assert.deepEqual(effectsOf(log.ask(BOB, [{ action: 'delete', node: A }])), [
      { effect: 'deleted', node: A },
      { effect: 'ended', node: A, token: 1 },
    ]);
    for (const action of [
      set(A, 2),
      claim([A]),
      { action: 'create', parent: A, name: 'x', type: 'file' },
      { action: 'delete', node: A },
      { action: 'release', node: A, path: STATUS },
    ] as const) {
      const outcome = log.ask(ALICE, [action]);
      assert.equal(word(outcome), 'deleted', action.action);
      assert.deepEqual(winnerOf(outcome), {
        index: 2,
        author: bob.publicKey,
        value: null,
        timeMs: NOW_MS,
      });
    }
    const owned = { expect: 'unowned', node: A, path: STATUS } as const;
    assert.equal(word(log.expecting(ALICE, [set(B, 1)], owned)), 'deleted');
  });

  it("never takes the workspace's root", () => {
    assert.equal(word(new TestLog().ask(CREATOR, [{ action: 'delete', node: ROOT }])), 'right');
  });
});

describe('evaluation: claims', () => {
  const renew = (token: number, leaseMs = 90_000): Action => ({
    action: 'renew',
    node: A,
    token,
    leaseMs,
  });
  const expire = (token: number, renewal: number): Action => ({
    action: 'expire',
    node: A,
    token,
    renewal,
  });

  it('take the first worknode that nobody has, and say who has it where all are taken', () => {
    const log = new TestLog();
    log.ask(ALICE, [claim([A])]);
    assert.deepEqual(effectsOf(log.ask(BOB, [claim([A, B, C])])), [
      { effect: 'claimed', node: B, token: 2, owner: bob.publicKey, leaseMs: 60_000, renewal: 0 },
    ]);
    const lost = log.ask(ALICE, [claim([A, B])]);
    assert.equal(word(lost), 'claimed', 'a second claim loses, from the same device too');
    assert.deepEqual(winnerOf(lost), {
      index: 1,
      author: alice.publicKey,
      value: null,
      timeMs: NOW_MS,
    });
  });

  it('are renewed by their owner with their token, and by nobody else', () => {
    const log = new TestLog();
    log.ask(ALICE, [claim([A])]);
    assert.equal(word(log.ask(BOB, [renew(1)])), 'owner');
    assert.equal(word(log.ask(ALICE, [renew(2)])), 'fenced');
    assert.deepEqual(effectsOf(log.ask(ALICE, [renew(1)])), [
      { effect: 'claimed', node: A, token: 1, owner: alice.publicKey, leaseMs: 90_000, renewal: 1 },
    ]);
  });

  it('expire by a voter, unless a renewal came first', () => {
    const log = new TestLog();
    log.ask(ALICE, [claim([A])]);
    assert.equal(word(log.ask(BOB, [expire(1, 0)])), 'owner', 'no voter');
    log.ask(ALICE, [renew(1)]);
    assert.equal(word(log.ask(CREATOR, [expire(1, 0)])), 'fenced', 'the renewal won');
    assert.equal(word(log.ask(CREATOR, [expire(1, 1)])), 'accepted');
    assert.equal(word(log.ask(ALICE, [renew(1)])), 'fenced', 'the expiry won');
    assert.equal(word(log.ask(CREATOR, [expire(1, 1)])), 'fenced', 'it is gone');
  });

  it('fence a write that names an old token', () => {
    const log = new TestLog();
    const mine = { expect: 'token', node: A, token: 1 } as const;
    log.ask(ALICE, [claim([A])]);
    assert.equal(word(log.expecting(ALICE, [set(A, 1)], mine)), 'accepted');
    log.ask(CREATOR, [expire(1, 0)]);
    assert.equal(word(log.expecting(ALICE, [set(A, 2)], mine)), 'fenced');
    log.ask(BOB, [claim([A])]);
    const fenced = log.expecting(ALICE, [set(A, 2)], mine);
    assert.equal((winnerOf(fenced) as { index: number }).index, 5);
  });

  it('are given back by their owner or an admin, and leave nothing behind', () => {
    const log = new TestLog();
    const end = (token: number): Action => ({ action: 'unclaim', node: A, token });
    log.ask(ALICE, [claim([A])]);
    assert.equal(word(log.ask(BOB, [end(1)])), 'owner');
    assert.equal(word(log.ask(ALICE, [end(1)])), 'accepted');
    assert.equal(log.state.nodes.size, 0);
    log.ask(ALICE, [claim([A])]);
    assert.equal(word(log.ask(CREATOR, [end(4)], { homes: [] })), 'owner', 'no home, no admin');
    assert.equal(word(log.ask(CREATOR, [end(4)])), 'accepted');
  });
});

describe('evaluation: rights', () => {
  const may = (acts: string, path = '', change = {}): Who => ({
    key: alice,
    cap: forge(ROOT_CAP, creator, alice, { act: parseActs(acts), home: home(path), ...change }),
  });

  it('every action but an expiry takes `strong`, and its own right', () => {
    const actions: readonly (readonly [string, Action])[] = [
      ['write', set(A, 1)],
      ['write', claim([A])],
      ['create', { action: 'create', parent: A, name: 'x', type: 'file' }],
      ['delete', { action: 'delete', node: A }],
      ['admin', { action: 'configure', changes: [add(2)] }],
    ];
    for (const [act, action] of actions) {
      const without = act === 'write' ? 'read,create,delete' : 'read';
      assert.equal(word(new TestLog().ask(may(`${without},strong`), [action])), 'right', act);
      assert.equal(word(new TestLog().ask(may(act), [action])), 'right', `${act}, not strong`);
      assert.equal(word(new TestLog().ask(may(`${act},strong`), [action])), 'accepted', act);
    }
  });

  it('reach as far as the home of the capability', () => {
    const inA = {
      key: alice,
      cap: forge(ROOT_CAP, creator, alice, { act: STRONG, home: [ROOT, A] }),
    };
    assert.equal(word(new TestLog().ask(inA, [set(A, 1)])), 'accepted');
    assert.equal(word(new TestLog().ask(inA, [set(B, 1)])), 'right');
    assert.equal(word(new TestLog().ask(inA, [claim([A, B])])), 'right', 'every candidate counts');
  });

  it('reach certain fields where the capability names them', () => {
    const fields = may('write,strong', '', { fields: ['status'] });
    assert.equal(word(new TestLog().ask(fields, [set(A, 1)])), 'accepted');
    assert.equal(word(new TestLog().ask(fields, [set(A, 1, ['title'])])), 'right');
  });

  it('rest on a home that is proven, and a claimed one proves nothing', () => {
    assert.equal(word(new TestLog().ask(ALICE, [set(node('a'), 1)])), 'home');
    assert.equal(word(new TestLog().ask(ALICE, [set(A, 1)], { homes: [] })), 'home');
    const [a] = NODES;
    const moved = [{ ...(a?.home[0] ?? worknode('x').home[0]), index: 1 }];
    assert.equal(word(new TestLog().ask(ALICE, [set(A, 1)], { homes: [moved] })), 'home');
  });

  it('rest on the whole chain, carried along, however often it was seen before', () => {
    const log = new TestLog();
    const bad = carried(ALICE.cap).map(({ cap, sig }) => ({
      cap,
      sig: sig.with(0, (sig[0] ?? 0) ^ 1),
    }));
    for (let times = 0; times < 2; times++) {
      assert.equal(word(log.ask(ALICE, [set(A, 1)])), 'accepted');
      assert.equal(word(log.ask(ALICE, [set(A, 1)], { caps: [] })), 'capability');
      assert.equal(word(log.ask(ALICE, [set(A, 1)], { caps: bad })), 'capability');
      const noise = [{ cap: Uint8Array.of(1), sig: new Uint8Array(64) }];
      assert.equal(word(log.ask(ALICE, [set(A, 1)], { caps: noise })), 'capability');
    }
  });

  it("belong to the holder, and hold at the entry's time", () => {
    const brief = may('write,strong', '', { nbf: NOW_MS, exp: NOW_MS + 10 });
    const log = new TestLog();
    assert.equal(word(log.ask({ ...BOB, cap: ALICE.cap }, [set(A, 1)])), 'capability');
    for (const [timeMs, expected] of [
      [NOW_MS - 1, 'capability'],
      [NOW_MS, 'accepted'],
      [NOW_MS + 9, 'accepted'],
      [NOW_MS + 10, 'capability'],
    ] as const) {
      log.timeMs = timeMs;
      if (timeMs >= log.state.timeMs) assert.equal(word(log.ask(brief, [set(A, 1)])), expected);
    }
    const early = new TestLog();
    early.timeMs = NOW_MS - 1;
    assert.equal(word(early.ask(brief, [set(A, 1)])), 'capability');
  });
});
