import assert from 'node:assert/strict';
import { WnError } from '../../../src/core/errors.js';
import { groupId } from '../../../src/consensus/strong/group.js';
import { verifyReceipt, type Trust } from '../../../src/consensus/strong/receipt.js';
import { decodeReceipt, encodeReceipt } from '../../../src/consensus/strong/receipttext.js';
import type { Certificate, Proof, Receipt } from '../../../src/consensus/strong/types.js';
import { A, ALICE, CREATOR, GENESIS, GROUP, memberKey, set, TestLog } from './fixtures.js';
import { certify, grown, ledgerOn } from './ledgers.js';

const GENESIS_TRUST: Trust = { from: 'workspace', ws: GENESIS.ws };

function verdict(receipt: Receipt, trust: Trust = GENESIS_TRUST): string {
  const result = verifyReceipt(receipt, trust);
  return result.ok ? 'holds' : result.fault;
}

const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(5, (bytes[5] ?? 0) ^ 1);

describe('receipts', () => {
  /** Of a write before any change of the configuration, and of one after three of them. */
  let first: Receipt;
  let last: Receipt;
  let log: TestLog;

  before(async () => {
    const { ledger } = await ledgerOn();
    log = await grown(ledger);
    log.term = 3;
    log.ask(ALICE, [set(A, 'last')]);
    log.ask(CREATOR, [set(A, 'very last')]);
    await certify(ledger, log, log.certificate([2, 4]));
    first = await ledger.receipt(1);
    last = await ledger.receipt(8);
  });

  const proven = (change: Partial<Proof>): Receipt => ({
    ...last,
    proof: { ...last.proof, ...change },
  });
  const certified = (change: Partial<Certificate>): Receipt =>
    proven({ certificate: { ...last.proof.certificate, ...change } });

  it('hold for one who knows the workspace, from the first entry to the last', () => {
    assert.equal(verdict(first), 'holds');
    assert.equal(first.history.length, 0);
    assert.equal(verdict(last), 'holds');
    assert.equal(last.history.length, 6);
    assert.equal(last.proof.certificate.signatures.length, 2);
  });

  it('hold for one who pinned a configuration on the way, and pin the latest', () => {
    const made = last.history.map(({ outcome }) => {
      const effect = outcome.outcome === 'accepted' ? outcome.effects[0] : undefined;
      assert.ok(effect?.effect === 'configured');
      return effect.configuration;
    });
    for (const configuration of made) {
      const result = verifyReceipt(last, {
        from: 'configuration',
        group: GROUP.id,
        configuration,
      });
      assert.ok(result.ok);
      assert.deepEqual(result.configuration, made.at(-1));
    }
    const [joint] = made;
    assert.ok(joint !== undefined);
    const pinned: Trust = {
      from: 'configuration',
      group: groupId('ab'.repeat(32)),
      configuration: joint,
    };
    assert.equal(verdict(last, pinned), 'wrong_group');
  });

  it('are refused for another workspace or group', () => {
    assert.equal(verdict(last, { from: 'workspace', ws: 'ab'.repeat(32) }), 'wrong_workspace');
    assert.equal(verdict({ ...last, genesis: flipped(last.genesis) }), 'wrong_workspace');
    assert.equal(verdict({ ...last, genesis: Uint8Array.of(1) }), 'wrong_workspace');
    assert.equal(verdict({ ...last, group: groupId('ab'.repeat(32)) }), 'wrong_group');
  });

  it('are refused with a forged signature', () => {
    const [one, two] = last.proof.certificate.signatures;
    assert.ok(one !== undefined && two !== undefined);
    const signatures = [one, { ...two, sig: flipped(two.sig) }];
    assert.equal(verdict(certified({ signatures })), 'forged_signature');
    const swapped = [
      { ...one, sig: two.sig },
      { ...two, sig: one.sig },
    ];
    assert.equal(verdict(certified({ signatures: swapped })), 'forged_signature');
    assert.equal(
      verdict(certified({ root: flipped(last.proof.certificate.root) })),
      'forged_signature',
    );
  });

  it('are refused with a signer twice, one too few, a removed one, one nobody knows', () => {
    const [one, two] = last.proof.certificate.signatures;
    assert.ok(one !== undefined && two !== undefined);
    assert.equal(verdict(certified({ signatures: [one, one] })), 'duplicate_signer');
    assert.equal(verdict(certified({ signatures: [one] })), 'minority');
    const founder = { ...one, member: 1 };
    assert.equal(verdict(certified({ signatures: [founder, one, two] })), 'removed_signer');
    const stranger = { ...one, member: 9 };
    assert.equal(verdict(certified({ signatures: [one, two, stranger] })), 'unknown_signer');
  });

  it('are refused under a configuration that is not the one', () => {
    assert.equal(verdict(certified({ configuration: 0 })), 'wrong_configuration');
    assert.equal(verdict({ ...last, history: last.history.slice(0, -1) }), 'wrong_configuration');
    assert.equal(verdict({ ...last, history: last.history.slice(1) }), 'broken_history');
  });

  it('are refused of a wrong term', () => {
    const { entry, certificate } = last.proof;
    assert.equal(verdict(proven({ entry: { ...entry, term: certificate.term + 1 } })), 'old_term');
    assert.equal(verdict(certified({ term: certificate.term - 1 })), 'old_term');
    const newer = { ...first.proof.certificate, term: first.proof.certificate.term + 1 };
    const forged = { ...first, proof: { ...first.proof, certificate: newer } };
    assert.equal(verdict(forged), 'wrong_term');
  });

  it('are refused with an altered outcome, entry, leaf or path', () => {
    const { entry, leaf, siblings, prev } = last.proof;
    const effects = last.proof.outcome.outcome === 'accepted' ? last.proof.outcome.effects : [];
    const [effect] = effects;
    assert.ok(effect?.effect === 'set');
    const outcome = { outcome: 'accepted', effects: [{ ...effect, value: 'mine' }] } as const;
    assert.equal(verdict(proven({ outcome })), 'altered_outcome');
    assert.equal(
      verdict(proven({ entry: { ...entry, data: flipped(entry.data) } })),
      'altered_entry',
    );
    assert.equal(verdict(proven({ entry: { ...entry, index: 9 } })), 'altered_path');
    assert.equal(verdict(proven({ entry: { ...entry, index: 10 } })), 'not_covered');
    assert.equal(verdict(proven({ prev: flipped(prev) })), 'altered_entry');
    assert.equal(
      verdict(proven({ leaf: { ...leaf, outcome: flipped(leaf.outcome) } })),
      'altered_path',
    );
    assert.equal(verdict(proven({ siblings: siblings.map(flipped) })), 'altered_path');
    assert.equal(verdict(proven({ siblings: siblings.slice(1) })), 'altered_path');
    assert.equal(verdict(proven({ siblings: [...siblings, prev] })), 'altered_path');
  });

  it('are refused where the new voters alone speak for a joint configuration', () => {
    const [learners, left, joint, ...rest] = last.history;
    assert.ok(learners !== undefined && left !== undefined && joint !== undefined);
    const usurped = new TestLog();
    for (const { entry } of log.entries.slice(0, 4)) usurped.append(entry.data, entry.type);
    usurped.append(new Uint8Array(0));
    const certificate = usurped.certificate([2, 3]);
    assert.equal(certificate.configuration, 4);
    const history = [learners, left, { ...joint, certificate }, ...rest];
    assert.equal(verdict({ ...last, history }), 'one_majority');
  });

  it('are refused where a change certifies itself without those before it', () => {
    const [, , joint] = last.history;
    assert.ok(joint !== undefined);
    const effect = joint.outcome.outcome === 'accepted' ? joint.outcome.effects[0] : undefined;
    assert.ok(effect?.effect === 'configured');
    const alone = { ...effect.configuration, outgoing: [] };
    const outcome = {
      outcome: 'accepted',
      effects: [{ ...effect, configuration: alone }],
    } as const;
    const history = last.history.with(2, { ...joint, outcome });
    assert.equal(verdict({ ...last, history }), 'broken_history');
  });

  it('say the same as text, whatever a mail program does to the lines', () => {
    const text = encodeReceipt(last);
    assert.match(text, /^wn-receipt-1\./);
    assert.ok(text.split('\n').every((line) => line.length <= 76));
    assert.equal(encodeReceipt(decodeReceipt(text)), text);
    assert.equal(verdict(decodeReceipt(text)), 'holds');
    const mailed = `\r\n  ${text.replaceAll('\n', ' \r\n')}`;
    assert.equal(encodeReceipt(decodeReceipt(mailed)), text);
  });

  it('as text are refused cut at every character, and with any one changed', () => {
    const word = encodeReceipt(first).replaceAll('\n', '');
    for (let end = 0; end < word.length; end++) {
      assert.throws(
        () => decodeReceipt(word.slice(0, end)),
        (error) => error instanceof WnError && error.code === 'invalid',
        `cut at ${end}`,
      );
    }
    for (let at = 13; at < word.length; at += 7) {
      const other = word[at] === 'A' ? 'B' : 'A';
      assert.throws(
        () => decodeReceipt(word.slice(0, at) + other + word.slice(at + 1)),
        (error) => error instanceof WnError && /cut short|damaged/.test(error.message),
        `changed at ${at}`,
      );
    }
    assert.throws(
      () => decodeReceipt('wn-receipt-2.AAAA'),
      (error) => error instanceof WnError && error.code === 'unknown_format',
    );
  });

  it('of a removed member signing the old way are refused', () => {
    const old = log.entries.slice(0, 7);
    const stale = new TestLog();
    for (const { entry } of old) stale.append(entry.data, entry.type);
    assert.ok(stale.voters.outgoing.some(({ device }) => device === memberKey(1).publicKey));
    const signatures = stale.certificate([1, 2, 3]).signatures;
    assert.equal(verdict(certified({ signatures })), 'removed_signer');
  });
});
