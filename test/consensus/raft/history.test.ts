import assert from 'node:assert/strict';
import { runSeeded } from './history.js';

const SEEDS = 40;
const STEPS = 3_000;

describe('raft: random histories', () => {
  for (const asyncStorageWrites of [false, true]) {
    it(`are safe, and end well (${asyncStorageWrites ? 'asynchronous' : 'synchronous'} writes)`, () => {
      let reads = 0;
      const fresh = Math.floor(Math.random() * 2 ** 31);
      for (const seed of [fresh, ...Array(SEEDS).keys()]) {
        reads += runSeeded({ seed, steps: STEPS, asyncStorageWrites }).readsServed;
      }
      assert.ok(reads > 0, 'some reads were served');
    });
  }
});
