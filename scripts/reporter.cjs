'use strict';
/**
 * mocha's dots, then each skipped test with its reason, and one plain line with the counts.
 * The reason stands in the title; `test/support/skip.ts` puts it there.
 */
const { reporters, Runner } = require('mocha');

module.exports = class Summary extends reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on(Runner.constants.EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()));
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      for (const title of skipped) console.log(`skipped: ${title}`);
      console.log(`${this.stats.passes} passed, ${this.stats.failures} failed`);
    });
  }
};
