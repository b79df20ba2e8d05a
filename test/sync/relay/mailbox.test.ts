/** Mailboxes: what the relay keeps and refuses, and what only the two devices can read. */
import assert from 'node:assert/strict';
import {
  MAILBOX_BYTES_MAX,
  MAILBOX_ITEM_BYTES_MAX,
  MAILBOX_ITEMS_MAX,
  MAILBOX_KEPT_MS,
  MAILBOX_REQUEST_MS,
} from '../../../src/core/limits.js';
import { fromHex, toHex } from '../../../src/core/bytes.js';
import { exchangePublic, exchangePublicOf, exchangeSecret } from '../../../src/core/crypto.js';
import { Boxes, type MailAnswer } from '../../../src/sync/relay/boxes.js';
import { boxId, prove } from '../../../src/sync/relay/proof.js';
import { mailboxOf, PART_BYTES_MAX, seal, unseal } from '../../../src/sync/relay/seal.js';
import { encodeRecord, KIND, NO } from '../../../src/sync/relay/wire.js';
import { SimDisk } from '../../sim/disk.js';
import { Seeded, SimRng } from '../../sim/random.js';
import type { SimStorage } from '../../sim/storage.js';
import { HubUnderTest, signer, type Client } from './harness.js';

const seedOf = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const device = (n: number): string => signer(n).publicKey;
const [WS, OTHER_WS] = ['aa'.repeat(32), 'bb'.repeat(32)];
const BOX = 'cc'.repeat(32);

describe('a sealed item', () => {
  const rng = new SimRng(7);
  const box = (seed: number, from: number, to: number, ws = WS) => {
    const mailbox = mailboxOf(seedOf(seed), device(from), device(to), ws);
    assert.ok(mailbox);
    return mailbox;
  };
  const part = { deposit: rng.bytes(16), index: 1, count: 3, bytes: rng.bytes(5_000) };

  it('has the X25519 key of its device on both ways to it', () => {
    for (let n = 1; n < 20; n++) {
      assert.equal(
        toHex(exchangePublic(device(n)) ?? new Uint8Array()),
        toHex(exchangePublicOf(exchangeSecret(seedOf(n)))),
      );
    }
  });

  it('is read by the one it is for, in a box that both find', () => {
    const [sender, reader] = [box(1, 1, 2), box(2, 1, 2)];
    assert.equal(sender.key.publicKey, reader.key.publicKey);
    const opened = unseal(reader, seedOf(2), seal(sender, part, rng));
    assert.deepEqual(opened && { ...opened, bytes: toHex(opened.bytes), deposit: 0 }, {
      ...part,
      bytes: toHex(part.bytes),
      deposit: 0,
    });
  });

  it('is read by nobody else, nor where it was changed or put into another box', () => {
    const item = seal(box(1, 1, 2), part, rng);
    assert.equal(unseal(box(2, 1, 2, OTHER_WS), seedOf(2), item), null);
    assert.equal(unseal(box(1, 1, 2), seedOf(1), item), null, 'not even by the sender');
    assert.equal(unseal(box(2, 2, 1), seedOf(2), item), null);
    for (const at of [0, 40, item.byteLength - 1]) {
      const changed = Uint8Array.from(item, (byte, i) => (i === at ? byte ^ 1 : byte));
      assert.equal(unseal(box(2, 1, 2), seedOf(2), changed), null, `byte ${at}`);
    }
    assert.equal(unseal(box(2, 1, 2), seedOf(2), item.subarray(0, 40)), null);
  });

  it('lies in another box for each direction and workspace', () => {
    const keys = [box(1, 1, 2), box(1, 2, 1), box(1, 1, 2, OTHER_WS), box(1, 1, 3)];
    assert.equal(new Set(keys.map(({ key }) => key.publicKey)).size, 4);
  });

  it('has one of few sizes, the largest part included', () => {
    const sizes = [1, 3_900, 5_000, 100_000, PART_BYTES_MAX].map(
      (size) => seal(box(1, 1, 2), { ...part, bytes: new Uint8Array(size) }, rng).byteLength,
    );
    assert.deepEqual(sizes, [4_096, 4_096, 8_192, 131_072, MAILBOX_ITEM_BYTES_MAX]);
  });
});

describe('the boxes of a relay', () => {
  let storage: SimStorage;
  let boxes: Boxes;
  beforeEach(() => {
    storage = new SimDisk({ random: new Seeded(1) }).open();
    boxes = new Boxes(storage, new SimRng(1));
  });
  const put = (bytes: number, nowMs = 0, box = BOX): Promise<MailAnswer> =>
    boxes.answer(box, { type: 'put', bytes: new Uint8Array(bytes) }, nowMs);
  const items = async (nowMs = 0) => {
    const answer = await boxes.answer(BOX, { type: 'list' }, nowMs);
    assert.ok(answer.type === 'items');
    return answer.items;
  };

  it('are full by bytes and by number, refuse what is more, and lose nothing for it', async () => {
    const count = MAILBOX_BYTES_MAX / MAILBOX_ITEM_BYTES_MAX;
    for (let n = 0; n < count; n++)
      assert.equal((await put(MAILBOX_ITEM_BYTES_MAX)).type, 'stored');
    assert.equal((await put(1)).type, 'full');
    assert.equal((await items()).length, count);
    const other = 'dd'.repeat(32);
    for (let n = 0; n < MAILBOX_ITEMS_MAX; n++) await put(1, 0, other);
    assert.equal((await put(1, 0, other)).type, 'full');
  });

  it('have a bound together', async () => {
    boxes = new Boxes(storage, new SimRng(1), 10);
    assert.equal((await put(6)).type, 'stored');
    assert.equal((await put(6, 0, 'dd'.repeat(32))).type, 'full');
    await boxes.answer(BOX, { type: 'ack', item: (await items())[0]?.id ?? '' }, 0);
    assert.equal((await put(6, 0, 'dd'.repeat(32))).type, 'stored');
  });

  it('keep items for so long, across a restart, oldest first', async () => {
    await put(5, 1_000);
    await put(6, 2_000);
    boxes = new Boxes(storage, new SimRng(2));
    await boxes.open();
    assert.deepEqual(
      (await items()).map(({ bytes }) => bytes),
      [5, 6],
    );
    assert.equal((await items(MAILBOX_KEPT_MS + 999)).length, 2);
    assert.deepEqual(
      (await items(MAILBOX_KEPT_MS + 1_000)).map(({ bytes }) => bytes),
      [6],
    );
    await boxes.sweep(MAILBOX_KEPT_MS + 2_000);
    assert.deepEqual(await storage.list(''), []);
  });
});

describe('a mailbox through the hub', () => {
  let under: HubUnderTest;
  let client: Client;
  const KEY = signer(5);

  function open(by = KEY): Client {
    client = under.open();
    const channel = client.greet();
    client.send(encodeRecord(KIND.box, fromHex(KEY.publicKey), prove(by, KIND.box, channel)));
    return client;
  }
  beforeEach(() => {
    under = new HubUnderTest();
    open().expect(KIND.ok);
  });

  it('is opened by its key alone, and named by a hash of it', () => {
    client.send(encodeRecord(KIND.list));
    assert.deepEqual(
      under.mail.map(({ box }) => box),
      [boxId(KEY.publicKey)],
    );
    open(signer(6)).refusedWith(NO.proof);
  });

  it('takes one request at a time', () => {
    client.send(Buffer.concat([encodeRecord(KIND.list), encodeRecord(KIND.list)]));
    client.refusedWith(NO.malformed);
    assert.equal(under.mail.length, 1);
  });

  it('removes nothing without a signature for that very item and connection', () => {
    const item = new Uint8Array(16);
    client.send(encodeRecord(KIND.ack, item, new Uint8Array(64)));
    client.refusedWith(NO.proof);
    assert.deepEqual(under.mail, []);
  });

  it('refuses an item over the bound at its head, and any before a proof', () => {
    const size = MAILBOX_ITEM_BYTES_MAX + 1;
    client.send(encodeRecord(KIND.put, new Uint8Array(size)).slice(0, 4));
    client.refusedWith(NO.malformed);
    const stranger = under.open();
    stranger.greet();
    stranger.send(encodeRecord(KIND.put, new Uint8Array(4_096)).slice(0, 4));
    stranger.refusedWith(NO.malformed);
  });

  it('waits only so long for an item that drips in', () => {
    client.send(encodeRecord(KIND.put, new Uint8Array(4_096)).slice(0, 100));
    under.pass(MAILBOX_REQUEST_MS - 1);
    client.send(new Uint8Array(100));
    assert.equal(client.closed, false);
    under.pass(1);
    client.refusedWith(NO.tooSlow);
  });

  it('says that it is full, and ends', () => {
    client.send(encodeRecord(KIND.put, new Uint8Array(4_096)));
    under.tell({ type: 'mail', id: client.id, answer: { type: 'full' } });
    client.refusedWith(NO.full);
  });
});
