import { networkInterfaces } from 'node:os';
import { localNetwork } from '../../src/node/mdns.js';
import { SimClock } from '../sim/clock.js';
import { SimLan } from '../sim/lan.js';
import { eventually } from '../support/anchor.js';
import { skip } from '../support/skip.js';
import { describeLan } from './lan.js';

const clock = new SimClock();
describeLan('in memory', () => ({
  network: new SimLan(clock).at('192.0.2.1'),
  until: (_what, done) => clock.runUntil(done),
}));

describe('multicast DNS on this machine', function () {
  this.timeout(30_000);
  before(function () {
    const infos = Object.values(networkInterfaces()).flatMap((each = []) => each);
    if (infos.some(({ family, internal }) => family === 'IPv4' && !internal)) return;
    skip(this, 'this machine is in no IPv4 network');
  });
  describeLan('multicast DNS', () => ({
    network: localNetwork,
    until: async (what, done) => void (await eventually(what, done)),
  }));
});
