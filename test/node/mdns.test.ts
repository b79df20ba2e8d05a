/** Multicast DNS as strangers may send it; what must go well is in test/conform/lan.ts. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { MDNS_RECORDS_MAX } from '../../src/core/limits.js';
import type { Sighting } from '../../src/core/ports.js';
import { localNetwork, sightingsIn, type Packet } from '../../src/node/mdns.js';
import { eventually } from '../support/anchor.js';
import { announcementPacket, hostilePackets, repeatedQuery } from '../support/mdnspackets.js';
import { skip } from '../support/skip.js';

const TOLD = { instance: 'a'.repeat(32), tag: 'b'.repeat(32), port: 4_000 };
const HOST = '192.0.2.7';

interface Codec {
  decode(bytes: Buffer): Packet;
}
const { decode } = createRequire(import.meta.url)('dns-packet') as Codec;

describe('packets of multicast DNS', () => {
  it('are read for announcements, in one order or another', () => {
    const packet = decode(announcementPacket(TOLD));
    assert.deepEqual(sightingsIn(packet, HOST), [{ ...TOLD, host: HOST }]);
    const turned = { answers: [], additionals: [...packet.answers].reverse() };
    assert.deepEqual(sightingsIn(turned, HOST), [{ ...TOLD, host: HOST }]);
  });

  it('that take something back, or say half of it, announce nothing', () => {
    const { answers } = decode(announcementPacket(TOLD));
    const gone = answers.map((record) => ({ ...record, ttl: 0 }));
    assert.deepEqual(sightingsIn({ answers: gone, additionals: [] }, HOST), []);
    for (const type of ['SRV', 'TXT']) {
      const half = answers.filter((record) => record.type !== type);
      assert.deepEqual(sightingsIn({ answers: half, additionals: [] }, HOST), []);
    }
  });

  it(`are read up to ${MDNS_RECORDS_MAX} records`, () => {
    const { answers } = decode(announcementPacket(TOLD));
    const filler = { name: 'x', type: 'A' };
    const after = (count: number) => ({
      answers: Array<typeof filler>(count).fill(filler),
      additionals: answers,
    });
    assert.equal(sightingsIn(after(MDNS_RECORDS_MAX - answers.length), HOST).length, 1);
    assert.equal(sightingsIn(after(MDNS_RECORDS_MAX), HOST).length, 0);
  });

  it('of any bytes that decode are read without a fault', () => {
    const good = announcementPacket(TOLD);
    const changes = fc.array(fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(changes, (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, byte] of changes) bytes[at] = byte;
        let packet: Packet;
        try {
          packet = decode(bytes);
        } catch {
          return; // refused below us
        }
        for (const { instance, tag, port } of sightingsIn(packet, HOST)) {
          assert.deepEqual(
            [typeof instance, typeof tag, typeof port],
            ['string', 'string', 'number'],
          );
        }
      }),
    );
    for (const bytes of hostilePackets()) {
      try {
        sightingsIn(decode(bytes), HOST);
      } catch (error) {
        // Only the decoder may refuse; what it lets through is read.
        assert.match(String((error as Error).stack), /dns-packet/);
      }
    }
  });
});

describe('the local network under fire', function () {
  this.timeout(60_000);
  const [own] = Object.values(networkInterfaces())
    .flatMap((infos = []) => infos)
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  before(function () {
    if (own === undefined) skip(this, 'this machine is in no IPv4 network');
  });

  it('still finds who is there, and answers a flood of questions once a second', async () => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    let answers = 0;
    const instance = Buffer.from(`flood ${process.pid}`.padEnd(16)).toString('hex');
    const told = { ...TOLD, instance };
    await new Promise<void>((done) => socket.bind(5_353, done));
    socket.addMembership('224.0.0.251', own?.address);
    socket.setMulticastInterface(own?.address ?? '');
    socket.on('message', (bytes) => {
      const isAnswer = ((bytes[2] ?? 0) & 0x80) !== 0;
      if (isAnswer && bytes.includes(instance)) answers += 1;
    });
    const send = (bytes: Buffer): void => socket.send(bytes, 5_353, '224.0.0.251');
    const stop = await localNetwork.announce(() => told);
    const seen: Sighting[] = [];
    const end = await localNetwork.browse((sighting) => seen.push(sighting));
    try {
      for (let round = 0; round < 3; round++) for (const bytes of hostilePackets()) send(bytes);
      for (let round = 0; round < 20; round++) send(repeatedQuery(1_000));
      await eventually('seen', () => seen.some((each) => each.instance === instance));
      await eventually('a second answer', () => answers > 1);
      send(announcementPacket({ ...told, tag: 'c'.repeat(32) }));
      await eventually('the later one', () => seen.some(({ tag }) => tag === 'c'.repeat(32)));
      assert.ok(answers < 10, `${answers} answers to 20,000 questions`);
    } finally {
      end();
      await stop();
      socket.close();
    }
  });
});
