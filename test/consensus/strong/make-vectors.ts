/**
 * Writes test/vectors/strong.json: `npx tsx test/consensus/strong/make-vectors.ts`. Keys,
 * nonces and signatures follow from fixed seeds, so that a run changes the file only where
 * the format or this list changed.
 */
import { writeFileSync } from 'node:fs';
import { toHex } from '../../../src/core/bytes.js';
import { encodeCanonical } from '../../../src/core/canonical.js';
import { encodeCertificate } from '../../../src/consensus/strong/certificate.js';
import {
  configurationHash,
  encodeConfiguration,
} from '../../../src/consensus/strong/configuration.js';
import { encodeEntryData, encodeLeaf } from '../../../src/consensus/strong/entry.js';
import { rootOf } from '../../../src/consensus/strong/merkle.js';
import { encodeOutcome } from '../../../src/consensus/strong/outcome.js';
import { encodeReceipt } from '../../../src/consensus/strong/receipttext.js';
import { encodeRequest, requestId, signRequests } from '../../../src/consensus/strong/request.js';
import { encodeState } from '../../../src/consensus/strong/snapshot.js';
import {
  A,
  add,
  ALICE,
  alice,
  B,
  BOB,
  C,
  CREATOR,
  GENESIS,
  GROUP,
  NOW_MS,
  request,
  set,
  TestLog,
} from './fixtures.js';
import { certify, ledgerOn } from './ledgers.js';

const STATUS = ['status'];

/** Every action and most expectations; two of Alice's signed together; a repeat; noise. */
function appendAll(log: TestLog): void {
  log.append(new Uint8Array(0));
  const pair = [
    request(ALICE, [set(A, 'todo'), set(A, 2, [1])]),
    request(ALICE, [{ action: 'claim', nodes: [A, B], leaseMs: 60_000 }]),
  ];
  for (const signed of signRequests(pair.map(encodeRequest), alice)) {
    log.append(encodeEntryData(NOW_MS, signed));
  }
  log.expecting(BOB, [set(A, 'mine')], { expect: 'unowned', node: A, path: STATUS });
  log.expecting(BOB, [set(A, 'done')], { expect: 'index', node: A, path: STATUS, index: 2 });
  log.append(log.entries[3]?.entry.data ?? new Uint8Array(0));
  log.append(Uint8Array.of(0x82, 0, 0));
  log.ask(ALICE, [{ action: 'renew', node: A, token: 3, leaseMs: 90_000 }]);
  log.ask(CREATOR, [{ action: 'expire', node: A, token: 3, renewal: 1 }]);
  log.ask(BOB, [{ action: 'create', parent: C, name: 'new.md', type: 'file' }]);
  log.ask(ALICE, [
    { action: 'release', node: A, path: STATUS },
    { action: 'set', node: A, path: STATUS, type: 0, value: undefined },
  ]);
  log.ask(ALICE, [{ action: 'delete', node: C }]);
}

const log = new TestLog();
const { ledger } = await ledgerOn();
appendAll(log);
await certify(ledger, log);
log.beginChange(add(2), add(3));
await certify(ledger, log);
log.endChange();
log.ask(ALICE, [set(B, 'last')]);
await certify(ledger, log);

const lone = encodeRequest(request(ALICE, [set(A, 'done')]));
const vectors = {
  about:
    'One log from its first entry: data, hash of the entry, outcome and leaf of each (hex), the ' +
    'root after it. Certificates by their index, a receipt of the last entry, the state.',
  genesis: {
    header: toHex(GENESIS.header),
    ws: GENESIS.ws,
    creator: GENESIS.creator,
    seat: GENESIS.seat,
    recovery: GENESIS.recovery,
  },
  group: GROUP.id,
  configuration: {
    bytes: toHex(encodeCanonical(encodeConfiguration(GROUP.first))),
    hash: toHex(configurationHash(GROUP.first)),
  },
  request: { bytes: toHex(lone), id: requestId(lone) },
  entries: log.entries.map(({ entry, evaluation }) => ({
    index: entry.index,
    term: entry.term,
    type: entry.type,
    data: toHex(entry.data),
    hash: toHex(evaluation.leaf.entry),
    outcome: toHex(encodeCanonical(encodeOutcome(evaluation.outcome))),
    leaf: toHex(encodeLeaf(evaluation.leaf)),
    root: toHex(rootOf(evaluation.state.tree)),
  })),
  certificate: toHex(
    encodeCanonical(encodeCertificate(ledger.head().certificate ?? log.certificate())),
  ),
  receipt: encodeReceipt(await ledger.receipt(log.state.index)),
  state: toHex(encodeState(log.state)),
};

const path = new URL('../../vectors/strong.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(vectors, null, 2)}\n`);
