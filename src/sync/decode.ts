/**
 * Reads the messages that `frames.ts` describes. Whatever a peer sends is bounded here,
 * its counts before anything is allocated for it; every fault throws `invalid` and says
 * what was wrong.
 */
import {
  asArray,
  asBytes,
  asText,
  asUint,
  decodeCanonical,
  type Canonical,
} from '../core/canonical.js';
import { equalBytes, toHex } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import {
  CHUNK_BYTES_MAX,
  FRAME_BYTES_MAX,
  SYNC_BRANCHES_MAX,
  SYNC_CREDENTIAL_BYTES_MAX,
  SYNC_HEADS_PER_PAGE,
  SYNC_MESSAGE_BYTES_MAX,
  SYNC_MESSAGE_ITEMS_MAX,
  SYNC_REASON_CHARS_MAX,
  SYNC_RUN_BYTES_MAX,
  SYNC_RUN_COMMITS_MAX,
  SYNC_VERSIONS_MAX,
  SYNC_WANTS_PER_PAGE,
} from '../core/limits.js';
import {
  ADVISORY_FROM,
  MODES,
  NONCE_BYTES,
  NUMBER,
  REFUSALS,
  type Blob,
  type Have,
  type Hello,
  type Message,
} from './frames.js';
import {
  compareHeads,
  DEVICE_BYTES,
  EPOCH_BYTES,
  HEAD_BYTES,
  logKey,
  weight,
  type LogHeads,
} from './have.js';
import type { Run } from './store.js';

const HASH_BYTES = 32;

/**
 * Reads one message; null for an unknown one that may be ignored. Throws `invalid` for
 * anything that isn't a well-formed message within its bounds.
 */
export function decodeMessage(
  bytes: Uint8Array,
  bytesMax: number = SYNC_MESSAGE_BYTES_MAX,
): Message | null {
  if (bytes.byteLength > bytesMax) throw bad(`a message of ${bytes.byteLength} bytes`);
  const blob = readPlainBlob(bytes);
  if (blob !== null) return blob;
  checkItems(bytes);
  const parts = asArray(decodeCanonical(bytes, bytesMax), 'message');
  const number = asUint(parts[0], 'type of message');
  const type = (Object.keys(NUMBER) as Message['type'][]).find((name) => NUMBER[name] === number);
  if (type !== undefined) return readFields(type, parts.slice(1));
  if (number >= ADVISORY_FROM) return null;
  throw bad(`a message of unknown type ${number}`);
}

/** [8, 32 bytes, 64 KiB or more]: what nearly all of a large transfer is made of. */
const BLOB_HEAD = Uint8Array.of(0x83, NUMBER.blob, 0x58, HASH_BYTES);
const LONG_BYTES = 0x5a;

/**
 * A BLOB with much in it, read where it stands: the general decoder copies it twice to tell
 * whether it is canonical. Null for all else, which that one judges.
 */
function readPlainBlob(bytes: Uint8Array): Blob | null {
  const at = BLOB_HEAD.byteLength + HASH_BYTES;
  const from = at + 5;
  if (bytes.byteLength < from || bytes[at] !== LONG_BYTES) return null;
  if (!equalBytes(bytes.subarray(0, BLOB_HEAD.byteLength), BLOB_HEAD)) return null;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 1);
  // A shorter one has a shorter head.
  if (length !== bytes.byteLength - from || length <= 0xffff || length > CHUNK_BYTES_MAX) {
    return null;
  }
  const hash = toHex(bytes.subarray(BLOB_HEAD.byteLength, at));
  return { type: 'blob', hash, bytes: bytes.subarray(from) };
}

/**
 * Counts the items of an encoding by their heads alone, before the decoder makes an
 * object of each: 256 KiB hold as many empty strings.
 */
function checkItems(bytes: Uint8Array): void {
  let at = 0;
  for (let items = 0; at < bytes.byteLength; items++) {
    if (items >= SYNC_MESSAGE_ITEMS_MAX) throw bad('a message of too many items');
    const first = bytes[at] ?? 0;
    const [major, info] = [first >> 5, first & 31];
    const width = info >= 24 && info < 28 ? 1 << (info - 24) : 0;
    let value = width === 0 ? info : 0;
    for (let next = 1; next <= width; next++) value = value * 256 + (bytes[at + next] ?? 0);
    at += 1 + width + (major === 2 || major === 3 ? value : 0);
  }
}

function readFields(type: Message['type'], parts: readonly Canonical[]): Message {
  switch (type) {
    case 'hello':
      return readHello(parts);
    case 'have':
      return readHave(parts);
    case 'ask':
      asArray(parts, 'ASK', 0);
      return { type };
    case 'runs':
      return { type, runs: readRuns(asArray(parts, 'RUNS', 1)[0]) };
    case 'part': {
      const [last, bytes] = asArray(parts, 'PART', 2);
      return { type, last: asBool(last), bytes: filled(asBytes(bytes, 'part'), 'part') };
    }
    case 'credit':
      return { type, bytes: asUint(asArray(parts, 'CREDIT', 1)[0], 'credit') };
    case 'end': {
      const [commits, satisfied, digest] = asArray(parts, 'END', 3);
      return {
        type,
        commits: asUint(commits, 'commits'),
        satisfied: asBool(satisfied),
        digest: asBytes(digest, 'digest', HASH_BYTES),
      };
    }
    case 'want': {
      const hashes = asArray(asArray(parts, 'WANT', 1)[0], 'wants');
      if (hashes.length === 0) throw bad('a WANT of nothing');
      bounded(hashes.length, SYNC_WANTS_PER_PAGE, 'wants');
      return { type, hashes: hashes.map((hash) => toHex(asBytes(hash, 'hash', HASH_BYTES))) };
    }
    case 'blob':
      return readBlob(parts);
    case 'done': {
      const [commits, blobs, heldBack, digest] = asArray(parts, 'DONE', 4);
      return {
        type,
        commits: asUint(commits, 'commits'),
        blobs: asUint(blobs, 'blobs'),
        heldBack: asUint(heldBack, 'held back'),
        digest: asBytes(digest, 'digest', HASH_BYTES),
      };
    }
    case 'error':
      return readError(parts);
    case 'stored':
      return { type, commits: asUint(asArray(parts, 'STORED', 1)[0], 'commits') };
    case 'bundle':
      return {
        type,
        workspace: toHex(asBytes(asArray(parts, 'BUNDLE', 1)[0], 'workspace', HASH_BYTES)),
      };
  }
}

function readHello(parts: readonly Canonical[]): Hello {
  const [versions, workspace, device, modeNumber, credential, nonce] = asArray(parts, 'HELLO', 6);
  const numbers = asArray(versions, 'versions').map((version) => asUint(version, 'version'));
  bounded(numbers.length, SYNC_VERSIONS_MAX, 'versions');
  const shown = asBytes(credential, 'credential');
  bounded(shown.byteLength, SYNC_CREDENTIAL_BYTES_MAX, 'bytes of credential');
  const mode = MODES[asUint(modeNumber, 'mode')];
  if (mode === undefined) throw bad('a mode that nobody knows');
  return {
    type: 'hello',
    versions: numbers,
    workspace: toHex(asBytes(workspace, 'workspace', HASH_BYTES)),
    device: toHex(asBytes(device, 'device', DEVICE_BYTES)),
    mode,
    credential: shown,
    nonce: asBytes(nonce, 'nonce', NONCE_BYTES),
  };
}

function readHave(parts: readonly Canonical[]): Have {
  const [basis, list, last] = asArray(parts, 'HAVE', 3);
  const logs = asArray(list, 'logs').map(readLogHeads);
  bounded(weight(logs), SYNC_HEADS_PER_PAGE, 'heads on one page');
  logs.forEach((log, at) => {
    const before = logs[at - 1];
    if (before !== undefined && logKey(before) >= logKey(log)) throw bad('logs out of order');
  });
  return {
    type: 'have',
    basis: basis === null ? null : asBytes(basis, 'basis', HASH_BYTES),
    logs,
    last: asBool(last),
  };
}

function readLogHeads(value: Canonical): LogHeads {
  const [dev, epoch, list] = asArray(value, 'log', 3);
  const pairs = asArray(list, 'heads');
  bounded(pairs.length, SYNC_BRANCHES_MAX, 'branches of one log');
  const heads = pairs.map((pair) => {
    const [seq, head] = asArray(pair, 'head', 2);
    return { seq: asUint(seq, 'seq'), head: toHex(asBytes(head, 'head', HEAD_BYTES)) };
  });
  heads.forEach((head, at) => {
    const before = heads[at - 1];
    if (before !== undefined && compareHeads(before, head) >= 0) throw bad('heads out of order');
  });
  return {
    dev: toHex(asBytes(dev, 'device', DEVICE_BYTES)),
    epoch: toHex(asBytes(epoch, 'epoch', EPOCH_BYTES)),
    heads,
  };
}

function readRuns(value: Canonical | undefined): readonly Run[] {
  const runs = asArray(value, 'runs').map(readRun);
  if (runs.length === 0) throw bad('a RUNS of nothing');
  return runs;
}

function readRun(value: Canonical): Run {
  const [dev, epoch, firstSeq, prev, cap, lengths, bytes] = asArray(value, 'run', 7);
  const first = asUint(firstSeq, 'seq');
  const sizes = asArray(lengths, 'lengths').map((length) => asUint(length, 'length'));
  const content = asBytes(bytes, 'payloads');
  bounded(sizes.length, SYNC_RUN_COMMITS_MAX, 'commits in one run');
  bounded(content.byteLength, SYNC_RUN_BYTES_MAX, 'bytes in one run');
  if (sizes.length === 0) throw bad('an empty run');
  if (!Number.isSafeInteger(first + sizes.length)) throw bad('a seq beyond counting');
  let at = 0;
  const payloads = sizes.map((size) => {
    if (size === 0 || size > FRAME_BYTES_MAX) throw bad(`a payload of ${size} bytes`);
    if (at + size > content.byteLength) throw bad('lengths that exceed the payloads');
    at += size;
    return content.subarray(at - size, at);
  });
  if (at !== content.byteLength) throw bad('payloads that exceed their lengths');
  return {
    dev: toHex(asBytes(dev, 'device', DEVICE_BYTES)),
    epoch: toHex(asBytes(epoch, 'epoch', EPOCH_BYTES)),
    firstSeq: first,
    prev: hashOrNull(prev, 'prev'),
    cap: hashOrNull(cap, 'capability'),
    payloads,
  };
}

function readBlob(parts: readonly Canonical[]): Blob {
  const [hash, bytes] = asArray(parts, 'BLOB', 2);
  const content = bytes === null ? null : filled(asBytes(bytes, 'blob'), 'blob');
  bounded(content?.byteLength ?? 0, CHUNK_BYTES_MAX, 'bytes in one blob');
  return { type: 'blob', hash: toHex(asBytes(hash, 'hash', HASH_BYTES)), bytes: content };
}

/** The peer's words are shown to people: what could steer a terminal is taken out. */
function readError(parts: readonly Canonical[]): Message {
  const [code, text] = asArray(parts, 'ERROR', 2);
  const known = REFUSALS.find((refusal) => refusal === asText(code, 'code'));
  const plain = asText(text, 'reason').slice(0, SYNC_REASON_CHARS_MAX).replace(/\p{C}/gu, ' ');
  return { type: 'error', code: known ?? 'failed', text: plain };
}

function hashOrNull(value: Canonical | undefined, what: string): string | null {
  return value === null ? null : toHex(asBytes(value, what, HASH_BYTES));
}

function asBool(value: Canonical | undefined): boolean {
  if (typeof value !== 'boolean') throw bad('a mark that is neither true nor false');
  return value;
}

function filled(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.byteLength === 0) throw bad(`an empty ${what}`);
  return bytes;
}

function bounded(count: number, max: number, what: string): void {
  if (count > max) throw bad(`${count} ${what}, over ${max}`);
}

function bad(what: string): WnError {
  return new WnError('invalid', what);
}
