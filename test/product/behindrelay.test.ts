/** Devices whose only common point is a relay; the long form is `npm run soak -- behindrelay`. */
import { runBehindRelay } from '../soak/behindrelay.js';
import { whyNoNamespaces } from '../support/namespaces.js';
import { skip } from '../support/skip.js';

describe('three nodes that reach nothing but a relay', function () {
  this.timeout(300_000);
  before(function () {
    const why = whyNoNamespaces();
    if (why !== null) skip(this, why);
  });

  it('have every commit of each after the last push', async () => {
    console.log(`      ${(await runBehindRelay(3, { rounds: 3 })).text}`);
  });
});
