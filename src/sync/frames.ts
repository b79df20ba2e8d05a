/**
 * The messages of a session, as canonical CBOR lists that open with a type number, one
 * message a frame. `decode.ts` reads them; what a message means, and when it may come, is
 * the session's business.
 *
 *   0 HELLO   versions, workspace, device, mode, credential, nonce
 *   1 HAVE    basis | null, [[device, epoch, [[seq, head]…]]…], last page?
 *   2 ASK     (the peer's basis is unknown here: say everything)
 *   3 RUNS    [[device, epoch, first seq, prev | null, cap | null, [length…], payloads]…]
 *   4 PART    last?, bytes of a RUNS over the bound of a frame
 *   5 CREDIT  bytes
 *   6 END     commits, satisfied?, digest
 *   7 WANT    [hash…]
 *   8 BLOB    hash, bytes | null
 *   9 DONE    commits, blobs, held back, digest
 *  10 ERROR   code, text
 *  11 BUNDLE  workspace
 *  12 STORED  commits
 *
 * A type that isn't known is refused below 128 and ignored from there on, so that a
 * later version may add hints without asking first.
 */
import { encodeCanonical, type Canonical } from '../core/canonical.js';
import { concat, fromHex } from '../core/bytes.js';
import type { DeviceId, WorkspaceId } from '../core/ids.js';
import { SYNC_CHUNK_CREDIT_BYTES, SYNC_CREDIT_BYTES } from '../core/limits.js';
import { encodeLogHeads, type LogHeads } from './have.js';
import type { Run } from './store.js';

/** From 2 on, whoever asks for chunks may grant more credit than at the beginning. */
export const SYNC_VERSIONS: readonly number[] = [1, 2];
const WIDE_FROM = 2;

/** What may be under way at most, in a version of the protocol. */
export function creditMax(version: number): number {
  return version < WIDE_FROM ? SYNC_CREDIT_BYTES : SYNC_CHUNK_CREDIT_BYTES;
}

export const NONCE_BYTES = 16;
/** In the place of a workspace: whichever is there, for a member. */
export const ANY_WORKSPACE: WorkspaceId = '0'.repeat(64);
/** Unknown types from here on are ignored. */
export const ADVISORY_FROM = 128;

/** What the dialler wants: to send, to fetch, or both; or both, and then to stay (`live.ts`). */
export type SyncMode = 'push' | 'pull' | 'sync' | 'follow';
export const MODES: readonly SyncMode[] = ['push', 'pull', 'sync', 'follow'];

/** Why a side ends a session before its time. */
export type Refusal =
  'denied' | 'version' | 'protocol' | 'later' | 'timeout' | 'interrupted' | 'failed';
export const REFUSALS: readonly Refusal[] = [
  'denied',
  'version',
  'protocol',
  'later',
  'timeout',
  'interrupted',
  'failed',
];

export interface Hello {
  readonly type: 'hello';
  readonly versions: readonly number[];
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly mode: SyncMode;
  readonly credential: Uint8Array;
  readonly nonce: Uint8Array;
}

export interface Have {
  readonly type: 'have';
  /** Hash of the vector that the entries differ from; null: from the empty one. Equal on all pages. */
  readonly basis: Uint8Array | null;
  readonly logs: readonly LogHeads[];
  readonly last: boolean;
}

export interface End {
  readonly type: 'end';
  readonly commits: number;
  /** The sender of this holds all that the peer's HAVE told, and wants no blobs. */
  readonly satisfied: boolean;
  readonly digest: Uint8Array;
}

export interface Blob {
  readonly type: 'blob';
  readonly hash: string;
  /** Null: not held here. */
  readonly bytes: Uint8Array | null;
}

export interface Done {
  readonly type: 'done';
  readonly commits: number;
  readonly blobs: number;
  /** Of the commits, those that wait or were refused. */
  readonly heldBack: number;
  readonly digest: Uint8Array;
}

export type Message =
  | Hello
  | Have
  | { readonly type: 'ask' }
  | { readonly type: 'runs'; readonly runs: readonly Run[] }
  | { readonly type: 'part'; readonly last: boolean; readonly bytes: Uint8Array }
  | { readonly type: 'credit'; readonly bytes: number }
  | End
  | { readonly type: 'want'; readonly hashes: readonly string[] }
  | Blob
  | Done
  | { readonly type: 'error'; readonly code: Refusal; readonly text: string }
  | { readonly type: 'bundle'; readonly workspace: WorkspaceId }
  /** How many of the peer's commits are on disk by now, counted from the beginning. */
  | { readonly type: 'stored'; readonly commits: number };

export const NUMBER = {
  hello: 0,
  have: 1,
  ask: 2,
  runs: 3,
  part: 4,
  credit: 5,
  end: 6,
  want: 7,
  blob: 8,
  done: 9,
  error: 10,
  bundle: 11,
  stored: 12,
} as const satisfies Record<Message['type'], number>;

export function encodeMessage(message: Message): Uint8Array {
  return encodeCanonical([NUMBER[message.type], ...fieldsOf(message)]);
}

function fieldsOf(message: Message): readonly Canonical[] {
  switch (message.type) {
    case 'hello':
      return [
        message.versions,
        fromHex(message.workspace),
        fromHex(message.device),
        MODES.indexOf(message.mode),
        message.credential,
        message.nonce,
      ];
    case 'have':
      return [message.basis, message.logs.map(encodeLogHeads), message.last];
    case 'ask':
      return [];
    case 'runs':
      return [message.runs.map(encodeRun)];
    case 'part':
      return [message.last, message.bytes];
    case 'credit':
      return [message.bytes];
    case 'end':
      return [message.commits, message.satisfied, message.digest];
    case 'want':
      return [message.hashes.map(fromHex)];
    case 'blob':
      return [fromHex(message.hash), message.bytes];
    case 'done':
      return [message.commits, message.blobs, message.heldBack, message.digest];
    case 'error':
      return [message.code, message.text];
    case 'bundle':
      return [fromHex(message.workspace)];
    case 'stored':
      return [message.commits];
  }
}

/**
 * Payloads travel as their lengths and one byte string: a list of byte strings would be
 * as long, but costs an object for each before a bound can bite.
 */
function encodeRun(run: Run): Canonical {
  return [
    fromHex(run.dev),
    fromHex(run.epoch),
    run.firstSeq,
    run.prev === null ? null : fromHex(run.prev),
    run.cap === null ? null : fromHex(run.cap),
    run.payloads.map((payload) => payload.byteLength),
    concat(run.payloads),
  ];
}
