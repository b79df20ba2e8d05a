import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '../../src/core/bytes.js';
import { WnError } from '../../src/core/errors.js';
import { verifyChain, type CapView } from '../../src/caps/attenuate.js';
import { decodeCap, encodeCap, recoveryCap, rootCap, type CarriedCap } from '../../src/caps/cap.js';
import { decodeTicket } from '../../src/caps/ticket.js';
import { outcome } from './fixtures.js';

interface Vectors {
  readonly workspace: string;
  readonly creator: string;
  readonly recovery: string;
  readonly rootCap: string;
  readonly recoveryCap: string;
  readonly chains: readonly {
    readonly name: string;
    readonly expected: string;
    readonly chain: readonly { readonly bytes: string; readonly sig: string }[];
  }[];
  readonly tickets: readonly {
    readonly name: string;
    readonly expected: string;
    readonly nowMs: number;
    readonly text: string;
  }[];
}

const file = new URL('../vectors/caps.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

const ROOT = rootCap(vectors.workspace, vectors.creator);
const RECOVERY = recoveryCap(vectors.workspace, vectors.creator, vectors.recovery);

function judge(chain: readonly CarriedCap[]): string {
  const leaf = chain[chain.length - 1];
  assert.ok(leaf !== undefined, 'an empty chain');
  if (!leaf.known) return 'held unknown_cap';
  const view: CapView = {
    ws: vectors.workspace,
    roots: [ROOT, RECOVERY],
    capOf: (id) => chain.find((cap) => cap.id === id) ?? null,
  };
  return outcome(verifyChain(leaf, view));
}

/** What `run` comes to, or the code of the error that it throws. */
function outcomeOf(run: () => string): string {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof WnError, String(error));
    return error.code;
  }
}

describe('caps, vectors', () => {
  it('have the root capabilities that follow from workspace and keys', () => {
    assert.equal(ROOT.id, vectors.rootCap);
    assert.equal(RECOVERY.id, vectors.recoveryCap);
  });

  for (const { name, expected, chain } of vectors.chains) {
    it(`${name}: ${expected}`, () => {
      const links = chain.map(({ bytes, sig }) => [fromHex(bytes), fromHex(sig)] as const);
      const result = outcomeOf(() => judge(links.map(([bytes, sig]) => decodeCap(bytes, sig))));
      assert.equal(result, expected);
    });
  }

  it('encode again to the same bytes', () => {
    for (const { chain } of vectors.chains.filter(({ expected }) => expected === 'ok')) {
      for (const { bytes, sig } of chain) {
        const decoded = decodeCap(fromHex(bytes), fromHex(sig));
        assert.ok(decoded.known);
        assert.equal(toHex(encodeCap(decoded.cap)), bytes);
      }
    }
  });

  for (const { name, expected, nowMs, text } of vectors.tickets) {
    it(`ticket, ${name}: ${expected}`, () => {
      const result = outcomeOf(() => {
        decodeTicket(text, nowMs);
        return 'ok';
      });
      assert.equal(result, expected);
    });
  }
});
