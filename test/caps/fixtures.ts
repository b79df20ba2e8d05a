/** A small workspace for the tests of `caps`: fixed keys, a fixed tree, a view over given caps. */
import { fromHex, toHex, utf8 } from '../../src/core/bytes.js';
import {
  makeCommit,
  encodeGroup,
  type Commit,
  type Group,
  type Header,
} from '../../src/core/commit.js';
import { hash, signerFromSeed, type Signer } from '../../src/core/crypto.js';
import { hlcFromMs } from '../../src/core/hlc.js';
import { NO_WORKSPACE, rootNode, type NodeId } from '../../src/core/ids.js';
import type { Op } from '../../src/core/op.js';
import { isControl } from '../../src/core/op.js';
import type { Rng } from '../../src/core/ports.js';
import { parseActs } from '../../src/caps/acts.js';
import type { CapView, Terms } from '../../src/caps/attenuate.js';
import {
  capId,
  encodeCap,
  recoveryCap,
  rootCap,
  type Cap,
  type SignedCap,
} from '../../src/caps/cap.js';
import { authorize, type AuthorityView, type CommitFacts } from '../../src/caps/verdict.js';

export const NOW_MS = 1_790_000_000_000;
export const SALT = new Uint8Array(16).fill(7);

/** The same key for the same name, always. */
export function keyOf(name: string): Signer {
  return signerFromSeed(hash('wn/file/1', utf8(`test key of ${name}`)));
}

/** Bytes that follow from the seed alone. */
export function fixedRng(seed: string): Rng {
  let count = 0;
  return {
    bytes(n) {
      const parts: Uint8Array[] = [];
      for (let at = 0; at < n; at += 32) {
        parts.push(hash('wn/file/1', utf8(`${seed} ${count++}`)));
      }
      return Buffer.concat(parts).subarray(0, n);
    },
  };
}

export const creator = keyOf('creator');
export const recovery = keyOf('recovery');
export const alice = keyOf('alice');
export const bob = keyOf('bob');
export const carol = keyOf('carol');
export const mallory = keyOf('mallory');

export const genesis: Commit = genesisCommit([
  { op: 'genesis', name: 'test', clockAheadMaxMs: 120_000, recovery: recovery.publicKey },
  { op: 'device', name: 'desk' },
]);
export const WS = genesis.id;
export const ROOT = rootNode(WS);
export const ROOT_CAP = rootCap(WS, creator.publicKey);
export const RECOVERY_CAP = recoveryCap(WS, creator.publicKey, recovery.publicKey);

export function genesisCommit(ops: readonly Op[], change: Partial<Header> = {}): Commit {
  const header = {
    ws: NO_WORKSPACE,
    dev: creator.publicKey,
    epoch: '0102030405060708',
    seq: 0,
    prev: null,
    deps: [],
    hlc: hlcFromMs(NOW_MS - 1_000_000),
    cap: null,
    kind: 'genesis' as const,
    ...change,
  };
  return makeCommit(header, encodeGroups([{ salt: SALT, scope: null, msg: null, ops }]));
}

/** A worknode id for a path of the fixed tree. */
export function node(path: string): NodeId {
  return path === '' ? ROOT : toHex(hash('wn/node/1', utf8(path))).slice(0, 32);
}

/** Creation chain of a path: `home('a/b')` is that of root, a and a/b. */
export function home(path: string): readonly NodeId[] {
  if (path === '') return [ROOT];
  const parts = path.split('/');
  return [ROOT, ...parts.map((_, depth) => node(parts.slice(0, depth + 1).join('/')))];
}

export const TREE: readonly string[] = ['', 'a', 'a/x', 'a/x/1', 'a/y', 'ab', 'ab/x', 'b', 'b/x'];

const HOMES = new Map(TREE.map((path) => [node(path), home(path)]));

/** Terms for everything that `--act write,delegate` gives, everywhere, for ever. */
export function terms(aud: Signer, change: Partial<Terms> = {}): Terms {
  return {
    aud: aud.publicKey,
    home: [ROOT],
    act: parseActs('write,delegate'),
    nbf: null,
    exp: null,
    fields: null,
    ...change,
  };
}

let nonces = 0;

/** A capability with any terms, allowed or not, signed with the key given. */
export function forge(
  parent: SignedCap,
  signer: Signer,
  aud: Signer,
  change: Partial<Cap> = {},
): SignedCap {
  const n = (nonces++).toString(16).padStart(32, '0');
  const base = { ws: WS, iss: signer.publicKey, prf: parent.id, n };
  const cap: Cap = { ...terms(aud), ...base, ...change };
  const id = capId(encodeCap(cap));
  return { id, cap, sig: signer.sign(fromHex(id)) };
}

export function viewOf(...caps: readonly SignedCap[]): CapView {
  const byId = new Map(caps.map((cap) => [cap.id, cap]));
  return {
    ws: WS,
    roots: [ROOT_CAP, RECOVERY_CAP],
    capOf(id) {
      const cap = byId.get(id);
      return cap === undefined ? null : { known: true, ...cap };
    },
  };
}

/** The view of a set of caps over the fixed tree and other worknodes. */
export function authorityOf(
  caps: readonly SignedCap[],
  more: ReadonlyMap<NodeId, readonly NodeId[]> = new Map(),
): AuthorityView {
  return { ...viewOf(...caps), homeOf: (id) => more.get(id) ?? HOMES.get(id) ?? null };
}

/** The facts of a commit of `author` under `cap`: control ops in a group of their own. */
export function commitOf(
  author: Signer,
  cap: SignedCap,
  ops: readonly Op[],
  options: { atMs?: number; scope?: readonly NodeId[] | null; ws?: string } = {},
): CommitFacts {
  const control = ops.filter(isControl);
  const ordinary = ops.filter((op) => !isControl(op));
  const groups: Group[] = [{ salt: SALT, scope: options.scope ?? null, msg: null, ops: ordinary }];
  if (control.length > 0) groups.unshift({ salt: SALT, scope: null, msg: null, ops: control });
  const commit = makeCommit(
    {
      ws: options.ws ?? WS,
      dev: author.publicKey,
      epoch: '1112131415161718',
      seq: 0,
      prev: null,
      deps: [WS],
      hlc: hlcFromMs(options.atMs ?? NOW_MS),
      cap: cap.id,
      kind: 'change',
    },
    encodeGroups(groups),
  );
  return { id: commit.id, header: commit.header, groups };
}

function encodeGroups(groups: readonly Group[]): Parameters<typeof makeCommit>[1] {
  return groups.map((group) => ({
    bytes: encodeGroup(group),
    ops: group.ops.length,
    form: group.ops.some(isControl) ? ('control' as const) : ('plain' as const),
  }));
}

/** What a verdict comes to, in one word. */
export function outcome(result: { ok: true } | { ok: false; held: boolean; why: string }): string {
  if (result.ok) return 'ok';
  return result.held ? `held ${result.why}` : result.why;
}

/** Ops on the fixed tree. */
export const ops = {
  create: (parent: string, name = 'new'): Op => ({
    op: 'create',
    parent: node(parent),
    name,
    type: 'file',
  }),
  move: (path: string, to: string): Op => ({
    op: 'place',
    node: node(path),
    parent: node(to),
    name: 'moved',
  }),
  delete: (path: string): Op => ({ op: 'delete', node: node(path) }),
  revive: (path: string): Op => ({ op: 'revive', node: node(path) }),
  field: (path: string, name: string | number = 'status'): Op => ({
    op: 'field',
    node: node(path),
    path: [name],
    type: 0,
    arg: [[], 'done'],
  }),
  text: (path: string): Op => ({
    op: 'text',
    node: node(path),
    base: null,
    runs: [[0, 'hi']],
    tombstones: false,
  }),
  grant: (cap: SignedCap): Op => ({
    op: 'grant',
    cap: encodeCap(cap.cap),
    sig: cap.sig ?? new Uint8Array(64),
  }),
  unknown: (kind: number): Op => ({ op: 'unknown', kind, raw: [kind, 'anything'] }),
};

/** Alice's capability with some terms of her own, straight from the creator. */
export function aliceMay(acts: string, path = 'a', change: Partial<Cap> = {}): SignedCap {
  return forge(ROOT_CAP, creator, alice, { act: parseActs(acts), home: home(path), ...change });
}

/** Alice's verdict for ops under a capability. */
export function may(cap: SignedCap, ...list: readonly Op[]): string {
  return outcome(authorize(commitOf(alice, cap, list), authorityOf([cap])));
}
