/** Workspaces for the tests: a founder, members with its word for them, and a store for each. */
import { fromHex } from '../../src/core/bytes.js';
import { encodeCanonical } from '../../src/core/canonical.js';
import { encodeGroup, makeCommit } from '../../src/core/commit.js';
import { hash, signerFromSeed, type Signer } from '../../src/core/crypto.js';
import { hlcFromMs } from '../../src/core/hlc.js';
import { NO_WORKSPACE, type WorkspaceId } from '../../src/core/ids.js';
import type { Op } from '../../src/core/op.js';
import { MemoryStore } from './memory-store.js';

const signers = new Map<string, Signer>();

export function signerNamed(name: string): Signer {
  const signer = signers.get(name) ?? signerFromSeed(hash('wn/node/1', Buffer.from(name)));
  signers.set(name, signer);
  return signer;
}

/** A workspace founded by the first of `names`, with an empty store for each. */
export function workspaceOf(names: readonly string[], title = 'test'): readonly MemoryStore[] {
  const founder = signerNamed(names[0] ?? 'founder');
  const workspace = foundedBy(founder, title);
  return names.map((name) => {
    const signer = signerNamed(name);
    const id = fromHex(signer.publicKey);
    const shown = encodeCanonical([id, founder.sign(hash('wn/cap/1', id))]);
    return new MemoryStore(workspace, founder.publicKey, signer, shown);
  });
}

function foundedBy(founder: Signer, title: string): WorkspaceId {
  const salt = new Uint8Array(16);
  const ops: Op[] = [{ op: 'genesis', name: title, clockAheadMaxMs: 120_000, recovery: null }];
  const group = encodeGroup({ salt, scope: null, msg: null, ops });
  const genesis = makeCommit(
    {
      ws: NO_WORKSPACE,
      dev: founder.publicKey,
      epoch: '00'.repeat(8),
      seq: 0,
      prev: null,
      deps: [],
      hlc: hlcFromMs(1_000),
      cap: null,
      kind: 'genesis',
    },
    [{ bytes: group, ops: 1, form: 'control' }],
  );
  return genesis.id;
}
