import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '../../../src/core/bytes.js';
import { decodeCanonical, encodeCanonical } from '../../../src/core/canonical.js';
import {
  certificateFault,
  decodeCertificate,
  encodeCertificate,
} from '../../../src/consensus/strong/certificate.js';
import {
  configurationHash,
  decodeConfiguration,
} from '../../../src/consensus/strong/configuration.js';
import { encodeLeaf } from '../../../src/consensus/strong/entry.js';
import { evaluate, initialState } from '../../../src/consensus/strong/evaluate.js';
import { founderOf, groupOf } from '../../../src/consensus/strong/group.js';
import { rootOf } from '../../../src/consensus/strong/merkle.js';
import { decodeOutcome, encodeOutcome } from '../../../src/consensus/strong/outcome.js';
import { verifyReceipt } from '../../../src/consensus/strong/receipt.js';
import { decodeReceipt, encodeReceipt } from '../../../src/consensus/strong/receipttext.js';
import { decodeRequest, encodeRequest, requestId } from '../../../src/consensus/strong/request.js';
import { decodeState, encodeState } from '../../../src/consensus/strong/snapshot.js';
import type { EntryType } from '../../../src/consensus/strong/types.js';

interface Vectors {
  readonly genesis: {
    readonly header: string;
    readonly ws: string;
    readonly creator: string;
    readonly seat: string;
    readonly recovery: string;
  };
  readonly group: string;
  readonly configuration: { readonly bytes: string; readonly hash: string };
  readonly request: { readonly bytes: string; readonly id: string };
  readonly entries: readonly {
    readonly index: number;
    readonly term: number;
    readonly type: EntryType;
    readonly data: string;
    readonly hash: string;
    readonly outcome: string;
    readonly leaf: string;
    readonly root: string;
  }[];
  readonly certificate: string;
  readonly receipt: string;
  readonly state: string;
}

const file = new URL('../../vectors/strong.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
const GROUP = groupOf(vectors.genesis);

describe('strong commits, vectors', () => {
  it('the group and its first configuration follow from the genesis header', () => {
    const { header, ws, creator, seat } = vectors.genesis;
    assert.deepEqual(founderOf(fromHex(header)), { ws, creator, seat });
    assert.equal(GROUP.id, vectors.group);
    const first = decodeConfiguration(decodeCanonical(fromHex(vectors.configuration.bytes)));
    assert.deepEqual(first, GROUP.first);
    assert.equal(toHex(configurationHash(first)), vectors.configuration.hash);
  });

  it('a request, its id', () => {
    const { bytes, id } = vectors.request;
    assert.equal(requestId(fromHex(bytes)), id);
    assert.equal(toHex(encodeRequest(decodeRequest(fromHex(bytes)))), bytes);
  });

  it('every entry has its hash, outcome, leaf and root; the state its bytes', () => {
    let state = initialState(GROUP);
    const reasons = new Set<string>();
    for (const { index, term, type, data, ...expected } of vectors.entries) {
      const {
        leaf,
        outcome,
        state: next,
      } = evaluate(state, {
        index,
        term,
        type,
        data: fromHex(data),
      });
      const found = {
        hash: toHex(leaf.entry),
        outcome: toHex(encodeCanonical(encodeOutcome(outcome))),
        leaf: toHex(encodeLeaf(leaf)),
        root: toHex(rootOf(next.tree)),
      };
      assert.deepEqual(found, expected, `entry ${index}`);
      const read = decodeOutcome(decodeCanonical(fromHex(expected.outcome)));
      reasons.add(read.outcome === 'rejected' ? read.reason : read.outcome);
      state = next;
    }
    assert.deepEqual([...reasons].sort(), ['accepted', 'malformed', 'owned', 'repeat']);
    assert.equal(toHex(encodeState(state)), vectors.state);
    assert.equal(toHex(encodeState(decodeState(fromHex(vectors.state), GROUP))), vectors.state);
  });

  it('the last certificate holds under the configuration of the state', () => {
    const { configuration } = decodeState(fromHex(vectors.state), GROUP);
    const certificate = decodeCertificate(decodeCanonical(fromHex(vectors.certificate)));
    assert.equal(certificateFault(GROUP.id, configuration, certificate), null);
    assert.equal(toHex(encodeCanonical(encodeCertificate(certificate))), vectors.certificate);
  });

  it('the receipt holds for one who knows no more than the workspace', () => {
    const receipt = decodeReceipt(vectors.receipt);
    const { ws } = vectors.genesis;
    assert.ok(verifyReceipt(receipt, { from: 'workspace', ws }).ok);
    assert.equal(encodeReceipt(receipt), vectors.receipt);
  });
});
