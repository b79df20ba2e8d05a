import assert from 'node:assert/strict';
import { hlcFromMs } from '../../../src/core/hlc.js';
import { CLOCK_AHEAD_MAX_MS, STRONG_STAMP_AGE_MAX_MS } from '../../../src/core/limits.js';
import { parseActs } from '../../../src/caps/acts.js';
import { encodeEntryData } from '../../../src/consensus/strong/entry.js';
import { encodeRequest, signRequests } from '../../../src/consensus/strong/request.js';
import type { Change, Outcome } from '../../../src/consensus/strong/types.js';
import { forge, mallory } from '../../caps/fixtures.js';
import {
  A,
  add,
  ALICE,
  alice,
  B,
  BOB,
  carried,
  CREATOR,
  creator,
  memberKey,
  NOW_MS,
  request,
  ROOT_CAP,
  set,
  STRONG,
  TestLog,
  word,
} from './fixtures.js';

function effectsOf(outcome: Outcome): unknown {
  assert.equal(outcome.outcome, 'accepted', word(outcome));
  return outcome.outcome === 'accepted' ? outcome.effects : null;
}

describe('evaluation: the log', () => {
  const empty = new Uint8Array(0);
  const made = (log: TestLog, who = ALICE): Uint8Array => {
    const hlc = hlcFromMs(log.timeMs);
    return encodeRequest(request(who, [set(A, 1)], { hlc }));
  };
  const signed = (log: TestLog, bytes: Uint8Array, key = alice): Uint8Array => {
    const [one] = signRequests([bytes], key);
    assert.ok(one !== undefined);
    return encodeEntryData(log.timeMs, one);
  };

  it('takes an empty entry, and any bytes for malformed', () => {
    const log = new TestLog();
    assert.deepEqual(effectsOf(log.append(empty).outcome), []);
    for (const bytes of [Uint8Array.of(0), Uint8Array.of(0x82, 0, 0), new Uint8Array(500_000)]) {
      assert.equal(word(log.append(bytes).outcome), 'malformed');
    }
    assert.equal(word(log.append(empty, 'confChange').outcome), 'joint', 'nothing to leave');
  });

  it('never goes back in time', () => {
    const log = new TestLog();
    log.ask(ALICE, [set(A, 1)]);
    log.timeMs -= 1;
    assert.equal(word(log.ask(ALICE, [set(A, 2)])), 'time');
    assert.equal(log.state.timeMs, NOW_MS);
  });

  it('takes a request once: the same again is a repeat, whatever has changed since', () => {
    const log = new TestLog();
    const [won, lost] = [made(log), encodeRequest(request(ALICE, [set(A, 1)], { caps: [] }))];
    assert.equal(word(log.append(signed(log, won)).outcome), 'accepted');
    assert.equal(word(log.append(signed(log, lost)).outcome), 'capability');
    log.timeMs += STRONG_STAMP_AGE_MAX_MS;
    assert.deepEqual(log.append(signed(log, won)).outcome, { outcome: 'repeat', first: 1 });
    assert.deepEqual(log.append(signed(log, lost)).outcome, { outcome: 'repeat', first: 2 });
  });

  it('is not spoilt by somebody who puts a bad signature to it first', () => {
    const log = new TestLog();
    const bytes = made(log);
    assert.equal(word(log.append(signed(log, bytes, mallory)).outcome), 'signature');
    assert.equal(word(log.append(signed(log, bytes)).outcome), 'accepted');
  });

  it('takes a request stamped from a day before to two minutes after', () => {
    for (const [offset, expected] of [
      [-STRONG_STAMP_AGE_MAX_MS - 1, 'stale'],
      [-STRONG_STAMP_AGE_MAX_MS, 'accepted'],
      [CLOCK_AHEAD_MAX_MS, 'accepted'],
      [CLOCK_AHEAD_MAX_MS + 1, 'ahead'],
    ] as const) {
      const hlc = hlcFromMs(NOW_MS + offset);
      assert.equal(word(new TestLog().ask(ALICE, [set(A, 1)], { hlc })), expected);
    }
  });

  it('never takes one again once it is forgotten, however late it was stamped', () => {
    const log = new TestLog();
    const hlc = hlcFromMs(NOW_MS + CLOCK_AHEAD_MAX_MS);
    const bytes = encodeRequest(request(ALICE, [set(A, 1)], { hlc }));
    log.append(signed(log, bytes));
    const accepted: string[] = [];
    for (let minutes = 0; minutes < 10; minutes++) {
      log.timeMs = NOW_MS + STRONG_STAMP_AGE_MAX_MS - 60_000 + minutes * 60_000;
      log.ask(BOB, [set(B, minutes)]); // brings the memory up to date
      accepted.push(word(log.append(signed(log, bytes)).outcome));
    }
    assert.deepEqual(new Set(accepted), new Set(['repeat', 'stale']));
  });

  it("refuses another group's request, and one in an entry of the wrong kind", () => {
    const log = new TestLog();
    const group = 'ab'.repeat(32);
    assert.equal(word(log.ask(ALICE, [set(A, 1)], { group })), 'group');
    assert.equal(word(log.append(signed(log, made(log)), 'confChange').outcome), 'type');
    const change = request(CREATOR, [{ action: 'configure', changes: [add(2)] }]);
    const data = signed(log, encodeRequest(change), creator);
    assert.equal(word(log.append(data).outcome), 'type');
  });
});

describe('evaluation: the configuration', () => {
  const configure = (log: TestLog, ...changes: readonly Change[]): string =>
    word(log.ask(CREATOR, [{ action: 'configure', changes }]));
  const ids = ({ state }: TestLog): unknown =>
    [state.configuration.voters, state.configuration.outgoing, state.configuration.learners].map(
      (half) => half.map(({ id }) => id),
    );

  it('changes jointly, and is left by an empty entry of its kind', () => {
    const log = new TestLog();
    assert.equal(configure(log, add(2), add(3)), 'accepted');
    assert.deepEqual(ids(log), [[1], [1], [2, 3]]);
    assert.equal(configure(log, add(4)), 'joint');
    log.append(new Uint8Array(0), 'confChange');
    assert.deepEqual(ids(log), [[1], [], [2, 3]]);
    const promotions = [2, 3].map((id) => ({ change: 'promote', id }) as const);
    log.configure(...promotions, { change: 'remove', id: 1 });
    assert.deepEqual(ids(log), [[2, 3], [], []]);
    assert.deepEqual(log.state.configurations, [1, 3, 4, 5]);
  });

  it('refuses what can not be', () => {
    const log = new TestLog();
    assert.equal(configure(log, { change: 'remove', id: 1 }), 'member', 'nobody would be left');
    assert.equal(configure(log, { change: 'promote', id: 1 }), 'member');
    assert.equal(configure(log, { change: 'remove', id: 7 }), 'member');
    assert.equal(configure(log, add(3)), 'member', 'the next id is 2');
    assert.equal(configure(log, add(2), { change: 'promote', id: 2 }), 'member', 'named twice');
    const twin = add(2);
    assert.ok(twin.change === 'add');
    const founder = { ...twin.member, device: creator.publicKey };
    const again = { change: 'add', member: founder, caps: [] } as const;
    assert.equal(configure(log, again), 'member', 'one device, two votes');
  });

  it('gives each member an id of its own, also after it is gone', () => {
    const log = new TestLog();
    log.configure(add(2));
    log.configure({ change: 'remove', id: 2 });
    assert.equal(configure(log, add(2)), 'member');
    assert.equal(configure(log, add(3)), 'accepted');
  });

  it('takes a member only with the right to vote', () => {
    const log = new TestLog();
    const member = add(2);
    assert.ok(member.change === 'add');
    const noVote = forge(ROOT_CAP, creator, memberKey(2), { act: STRONG });
    assert.equal(configure(log, { ...member, caps: carried(noVote) }), 'capability');
    assert.equal(configure(log, { ...member, caps: [] }), 'capability');
    const another = forge(ROOT_CAP, creator, memberKey(3), { act: parseActs('vote') });
    assert.equal(configure(log, { ...member, caps: carried(another) }), 'capability');
  });
});
