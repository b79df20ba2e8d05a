import assert from 'node:assert/strict';
import { toHex } from '../../../src/core/bytes.js';
import { WnError } from '../../../src/core/errors.js';
import { STRONG_CHECKPOINT_ENTRIES } from '../../../src/core/limits.js';
import { castVote } from '../../../src/consensus/strong/certificate.js';
import { decodeEvidence, proves } from '../../../src/consensus/strong/evidence.js';
import { Ledger } from '../../../src/consensus/strong/ledger.js';
import { verifyReceipt } from '../../../src/consensus/strong/receipt.js';
import { encodeLedgerRecord } from '../../../src/consensus/strong/records.js';
import { encodeState } from '../../../src/consensus/strong/snapshot.js';
import { SimDisk } from '../../sim/disk.js';
import { Seeded } from '../../sim/random.js';
import {
  A,
  add,
  ALICE,
  B,
  BOB,
  creator,
  CREATOR,
  GENESIS,
  GROUP,
  payloads,
  set,
  TestLog,
  word,
} from './fixtures.js';
import { certify, grown, ledgerOn } from './ledgers.js';

const EMPTY = new Uint8Array(0);
const LOG = 'strong/log';

const fails =
  (code: string, message = /./) =>
  (error: unknown): boolean =>
    error instanceof WnError && error.code === code && message.test(error.message);

const hexState = (ledger: Ledger): string => toHex(encodeState(ledger.state));

/** Three writes, certified together, then one. */
async function written(): Promise<{ log: TestLog; ledger: Ledger; disk: SimDisk }> {
  const { ledger, disk } = await ledgerOn();
  const log = new TestLog();
  for (const value of [1, 2, 3]) log.ask(ALICE, [set(A, value)]);
  await certify(ledger, log);
  log.ask(BOB, [set(B, 4)]);
  await certify(ledger, log);
  return { log, ledger, disk };
}

describe('ledger', () => {
  it('takes in what is certified, tells what came of it, and has it again when opened', async () => {
    const { ledger, disk } = await ledgerOn();
    const log = new TestLog();
    log.ask(ALICE, [set(A, 'x')]);
    log.ask(BOB, [set(A, 'y')], { expects: [{ expect: 'unowned', node: A, path: ['status'] }] });
    const settled = await ledger.take(0, payloads(log));
    assert.deepEqual(
      settled.map(({ index, outcome }) => [index, word(outcome)]),
      [
        [1, 'accepted'],
        [2, 'owned'],
      ],
    );
    assert.deepEqual(
      settled.map(({ author }) => author),
      [ALICE.key.publicKey, BOB.key.publicKey],
    );
    assert.equal(hexState(ledger), toHex(encodeState(log.state)));
    const { ledger: again } = await ledgerOn(disk);
    assert.equal(hexState(again), hexState(ledger));
    assert.deepEqual([...again.effects(0)], settled);
    assert.deepEqual(again.head(), ledger.head());
  });

  it('hands on whole certified steps, at least one', async () => {
    const { ledger, log } = await written();
    const all = await ledger.records(0, Infinity);
    assert.equal(all.length, 6);
    assert.deepEqual(await ledger.records(0, 1), all.slice(0, 4));
    assert.deepEqual(await ledger.records(1, 1), all.slice(1, 4));
    assert.deepEqual(await ledger.records(3, 1), all.slice(4));
    assert.deepEqual(await ledger.records(4, Infinity), []);
    const { ledger: copy } = await ledgerOn();
    let after = 0;
    while (after < log.state.index) {
      await copy.take(after, await ledger.records(after, 1));
      after = copy.head().index;
    }
    assert.equal(hexState(copy), hexState(ledger));
  });

  it('takes the same records twice as once, and leaves out what has no certificate yet', async () => {
    const { ledger, log, disk } = await written();
    const before = disk.bytes(LOG)?.byteLength;
    assert.deepEqual(await ledger.take(0, await ledger.records(0, Infinity)), []);
    log.ask(ALICE, [set(A, 5)]);
    assert.deepEqual(await ledger.take(4, payloads(log, 4).slice(0, 1)), []);
    assert.equal(disk.bytes(LOG)?.byteLength, before);
    const settled = await ledger.take(2, payloads(log, 2));
    assert.deepEqual(
      settled.map(({ index }) => index),
      [5],
    );
  });

  it('finds the entry that answered a request, not its repeats', async () => {
    const { ledger } = await ledgerOn();
    const log = new TestLog();
    log.append(EMPTY);
    log.ask(ALICE, [set(A, 1)]);
    log.append(log.entries[1]?.entry.data ?? EMPTY);
    await certify(ledger, log);
    const { request } = ledger.settled(2);
    assert.ok(request !== null);
    assert.equal(ledger.settled(3).request, request);
    assert.equal(ledger.find(request), 2);
    assert.equal(ledger.find('ab'.repeat(32)), null);
  });

  it('proves every entry of a group that changed, also after it was opened anew', async () => {
    const { ledger, disk } = await ledgerOn();
    const log = await grown(ledger);
    const { ledger: again } = await ledgerOn(disk);
    for (let index = 1; index <= log.state.index; index++) {
      const receipt = await again.receipt(index);
      assert.equal(receipt.proof.entry.index, index);
      const result = verifyReceipt(receipt, { from: 'workspace', ws: GENESIS.ws });
      assert.ok(result.ok, result.ok ? '' : `${index}: ${result.fault}`);
    }
  });
});

describe('ledger: refusals', () => {
  /** What is refused leaves the ledger as it was, in memory and on disk. */
  async function refuses(
    records: readonly Uint8Array[],
    message: RegExp,
    after = 4,
  ): Promise<void> {
    const { ledger, disk } = await written();
    const before = [hexState(ledger), toHex(disk.bytes(LOG) ?? EMPTY)];
    await assert.rejects(ledger.take(after, records), fails('invalid', message));
    assert.deepEqual([hexState(ledger), toHex(disk.bytes(LOG) ?? EMPTY)], before);
  }

  const further = async (): Promise<TestLog> => {
    const { log } = await written();
    log.ask(ALICE, [set(A, 5)]);
    return log;
  };

  it('entries that are not those of their certificate', async () => {
    const log = await further();
    const [, certificate] = payloads(log, 4);
    const other = new TestLog();
    other.ask(ALICE, [set(A, 'forged')]);
    const [entry] = payloads(other);
    assert.ok(entry !== undefined && certificate !== undefined);
    await refuses([entry, certificate], /not those of their certificate/);
  });

  it('a certificate that nobody of the group signed, or of another term or place', async () => {
    const log = await further();
    const good = log.certificate();
    const [one] = good.signatures;
    assert.ok(one !== undefined);
    const forged = [{ ...one, sig: one.sig.with(0, (one.sig[0] ?? 0) ^ 1) }];
    await refuses(payloads(log, 4, { ...good, signatures: forged }), /forged_signature/);
    await refuses(payloads(log, 4, { ...good, signatures: [] }), /minority/);
    await refuses(payloads(log, 4, { ...good, term: 2 }), /another term/);
    await refuses(payloads(log, 4, { ...good, index: 6 }), /out of its place/);
    await refuses(payloads(log, 4, { ...good, configuration: 1 }), /wrong_configuration/);
  });

  it('records that leave a gap, go back in term, or are none', async () => {
    const log = await further();
    await refuses(payloads(log, 4), /behind what is here/, 5);
    await refuses([Uint8Array.of(0x81, 2)], /kind/);
    await refuses([Uint8Array.of(0xff)], /CBOR/);
    const entry = { index: 5, term: 0, type: 'normal', data: EMPTY } as const;
    await refuses([encodeLedgerRecord({ record: 'entry', entry })], /terms go back/);
  });

  it('a step in which the group changed twice, since nobody trusted speaks for the second', async () => {
    const { ledger } = await ledgerOn();
    const log = new TestLog();
    log.configure(add(2));
    log.append(EMPTY);
    await assert.rejects(ledger.take(0, payloads(log)), fails('invalid', /skips a change/));
  });

  it('any byte of its records changed, or does as if nothing was', async () => {
    const log = await further();
    const good = payloads(log, 4);
    let refused = 0;
    for (let at = 0; at < (good[0]?.byteLength ?? 0); at += 9) {
      const { ledger } = await written();
      const before = hexState(ledger);
      const changed = good.map((bytes, place) =>
        place === 0 ? bytes.with(at, (bytes[at] ?? 0) ^ 4) : bytes,
      );
      await assert.rejects(ledger.take(4, changed), fails('invalid'));
      assert.equal(hexState(ledger), before);
      refused++;
    }
    assert.ok(refused > 20);
  });
});

describe('ledger: contradictions', () => {
  it('two certificates for one index: alarm, nothing taken in, both kept as proof', async () => {
    const { ledger, disk } = await written();
    const before = hexState(ledger);
    const other = new TestLog();
    for (const value of [1, 2, 3]) other.ask(ALICE, [set(A, `other ${value}`)]);
    await assert.rejects(ledger.take(0, payloads(other)), fails('damage', /contradict/));
    assert.equal(hexState(ledger), before);
    const [path] = disk.paths('strong/evidence');
    assert.ok(path !== undefined);
    assert.ok(proves(decodeEvidence(disk.bytes(path) ?? EMPTY)));
  });

  it('a forged one is no alarm', async () => {
    const { ledger, disk } = await written();
    const root = new Uint8Array(32);
    const ballot = { configuration: 0, term: 1, index: 3, root };
    const { sig } = castVote(
      GROUP.id,
      GROUP.first,
      1,
      { ...ballot, root: root.with(0, 1) },
      creator,
    );
    const certificate = { ...ballot, signatures: [{ member: 1, sig }] };
    await assert.rejects(ledger.confront(certificate), fails('invalid', /forged/));
    assert.deepEqual(disk.paths('strong/evidence'), []);
  });

  it('one that agrees, at an index where ours had none, is none either', async () => {
    const { ledger: copy } = await ledgerOn();
    const log = new TestLog();
    log.ask(CREATOR, [set(A, 1)]);
    await certify(copy, log);
    log.ask(CREATOR, [set(A, 2)]);
    const { ledger: whole } = await ledgerOn();
    await certify(whole, log);
    const { certificate } = copy.head();
    assert.ok(certificate !== null);
    await whole.confront(certificate);
  });
});

describe('ledger: the disk', () => {
  it('survives a power cut at any write: what was acknowledged stays, the rest is cut', async () => {
    let torn = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const { ledger, disk } = await ledgerOn(new SimDisk({ random: new Seeded(seed) }));
      const log = new TestLog();
      log.ask(ALICE, [set(A, 'kept')]);
      await certify(ledger, log);
      const kept = disk.bytes(LOG)?.byteLength ?? 0;
      for (let more = 0; more < 5; more++) log.ask(BOB, [set(B, more)]);
      const lost = certify(ledger, log).catch(() => undefined);
      disk.crash();
      const length = disk.bytes(LOG)?.byteLength ?? 0;
      const { ledger: again } = await ledgerOn(disk);
      if (length > kept && again.head().index === 1) torn++;
      assert.ok([1, 6].includes(again.head().index), `seed ${seed}`);
      const { index } = again.head();
      if (index === 1) assert.equal(disk.bytes(LOG)?.byteLength, kept, `seed ${seed}: cut`);
      await again.take(index, payloads(log, index));
      assert.equal(hexState(again), toHex(encodeState(log.state)));
      void lost;
    }
    assert.ok(torn > 5, `only ${torn} torn`);
  });

  it('tells damage before the end, wherever a bit flips, and cuts nothing', async () => {
    const { ledger, disk } = await written();
    const records = await ledger.records(0, Infinity);
    const last = records.at(-1)?.byteLength ?? 0;
    const bytes = disk.bytes(LOG) ?? EMPTY;
    const whole = toHex(bytes);
    for (let bit = 3; bit < 8 * (bytes.byteLength - last - 8); bit += 211) {
      disk.flipBit(LOG, bit);
      await assert.rejects(ledgerOn(disk), fails('damage'), `bit ${bit}`);
      disk.flipBit(LOG, bit);
      assert.equal(toHex(disk.bytes(LOG) ?? EMPTY), whole);
    }
  });

  it('opens by its checkpoint, and without it, or with one that is damaged, as well', async () => {
    const { ledger, log, disk } = await written();
    await ledger.checkpoint();
    log.ask(ALICE, [set(A, 'after the checkpoint')]);
    await certify(ledger, log);
    const state = hexState(ledger);
    const { ledger: quick } = await ledgerOn(disk);
    assert.equal(hexState(quick), state);
    assert.equal(
      toHex((await quick.receipt(2)).proof.leaf.entry),
      toHex(log.entries[1]?.evaluation.leaf.entry ?? EMPTY),
    );
    for (const file of ['state', 'places', 'hashes', 'outcomes']) {
      const storage = disk.open();
      await storage.remove(`strong/${file}`);
      const { ledger: again } = await ledgerOn(disk);
      assert.equal(hexState(again), state, `without ${file}`);
      assert.equal([...again.effects(0)].length, 5);
      await again.checkpoint();
    }
    disk.flipBit('strong/state');
    assert.equal(hexState((await ledgerOn(disk)).ledger), state);
    disk.flipBit('strong/hashes', 12);
    assert.equal(hexState((await ledgerOn(disk)).ledger), state);
  });

  it('writes a checkpoint by itself now and then', async () => {
    const { ledger, disk } = await ledgerOn();
    const log = new TestLog();
    for (let at = 0; at < STRONG_CHECKPOINT_ENTRIES; at++) log.append(EMPTY);
    await certify(ledger, log);
    assert.ok(disk.bytes('strong/state') !== null);
    assert.equal(hexState((await ledgerOn(disk)).ledger), hexState(ledger));
  });

  it('of a reader writes nothing, and reads past what a writer was cut off in', async () => {
    const { ledger, disk } = await written();
    const storage = disk.open();
    await storage.append(LOG, Uint8Array.of(200, 0, 0, 0, 1));
    const before = disk.bytes(LOG)?.byteLength;
    const options = { storage: disk.open(), genesis: GENESIS, writer: false };
    assert.equal(hexState(await Ledger.open(options)), hexState(ledger));
    assert.equal(disk.bytes(LOG)?.byteLength, before);
    assert.deepEqual(disk.paths('strong'), [LOG]);
  });
});
