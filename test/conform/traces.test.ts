/**
 * Recorded editing sessions, made once more through real repositories, end exactly as they
 * ended then: any trace that stands beside the known ones, too. Of one by several people
 * only the beginning; `npm run soak -- traces` makes them whole.
 */
import assert from 'node:assert/strict';
import { TextDocument } from '../../src/crdt/text/document.js';
import { opsOf } from '../crdt/text/traceops.js';
import { skip } from '../support/skip.js';
import { isConcurrent, loadTrace, traceNames, type Trace } from '../support/traces.js';
import { atOnce, replay } from './replay.js';
import { planOf } from './replayplan.js';

const REPLAY_TEST_MS = 120_000;
/** Of a session by several people, where a transaction may well be a commit and a bundle. */
const CONCURRENT_MAX = 2_000;

/** The first transactions, and what they come to by the walker that knows no commits. */
function beginningOf(trace: Trace, count: number): Trace {
  const txns = trace.txns.slice(0, count);
  const document = TextDocument.open({});
  for (const op of opsOf({ ...trace, txns })) document.add(op);
  return { ...trace, txns, endContent: document.text() };
}

describe('editing traces through repositories', function () {
  this.timeout(REPLAY_TEST_MS);
  before(function () {
    if (traceNames().length === 0) skip(this, 'the editing traces are not on this machine');
  });

  for (const name of traceNames()) {
    it(`${name} ends as recorded on every device, in view, file and a fold from scratch`, async () => {
      const whole = loadTrace(name);
      const trace = isConcurrent(whole) ? beginningOf(whole, CONCURRENT_MAX) : whole;
      const { texts, devices } = await replay(trace, atOnce(trace));
      assert.equal(texts.length, 3 * devices);
      for (const text of texts) assert.ok(text === trace.endContent, 'another end');
    });
  }
});

describe('the plan of a replay', () => {
  const patches = [[0, 0, 'x']] as const;

  it('tells a device what it typed on, and nothing that it had not heard of', () => {
    const txns = [
      { agent: 0, parents: [], patches },
      { agent: 0, parents: [0], patches },
      { agent: 1, parents: [0], patches },
      { agent: 0, parents: [1, 2], patches },
    ];
    const { agents, stretches } = planOf(txns, 100);
    assert.deepEqual(agents, [0, 1]);
    assert.deepEqual(
      stretches.map(({ device, members, hears, tells }) => ({ device, members, hears, tells })),
      [
        { device: 0, members: [0], hears: [], tells: [1] },
        { device: 0, members: [1], hears: [], tells: [] },
        { device: 1, members: [2], hears: [0], tells: [0] },
        { device: 0, members: [3], hears: [2], tells: [] },
      ],
    );
  });

  it('gives an agent that forked a second device', () => {
    const txns = [
      { agent: 0, parents: [], patches },
      { agent: 0, parents: [0], patches },
      { agent: 0, parents: [0], patches },
    ];
    assert.deepEqual(planOf(txns, 100).agents, [0, 0]);
  });

  it('cuts what one person typed into commits', () => {
    const txns = Array.from({ length: 25 }, () => ({ patches }));
    assert.deepEqual(
      planOf(txns, 10).stretches.map(({ members }) => members.length),
      [10, 10, 5],
    );
  });
});
