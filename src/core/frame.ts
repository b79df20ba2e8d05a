/**
 * Frames: how one commit stands in a segment and in a sync message. A frame leaves out
 * what the log and its place in it determine (workspace, device, epoch, seq, prev, the
 * capability if unchanged, each group's hash and length) and is rebuilt to the
 * canonical header before hashing. This is the only place that knows the layout.
 *
 *   record  = length(u32 LE) crc32c(u32 LE) payload
 *   payload = CBOR [hlc, deps, cap | null, kind, [group…], sig | null, prev | null]
 *   group   = [form, ops, bytes]                present
 *           | [form, ops, hash, bytes-length]   detached
 *
 * `cap` null: that of the commit before in this log. `prev` is given only in the first
 * frame of a log that continues another.
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
  fromUint64,
  type Canonical,
} from './canonical.js';
import { fromHex, idBytes, toHex } from './bytes.js';
import {
  commitId,
  formNumber,
  formOf,
  groupHash,
  hlcOf,
  kindNumber,
  kindOf,
  type Commit,
  type GroupRef,
  type Header,
} from './commit.js';
import { WnError } from './errors.js';
import {
  logId,
  NO_WORKSPACE,
  type CapId,
  type CommitId,
  type DeviceId,
  type Epoch,
  type WorkspaceId,
} from './ids.js';
import { DEPS_MAX, FRAME_BYTES_MAX, GROUPS_MAX } from './limits.js';

/** What a frame's place tells about its commit. */
export interface Place {
  readonly ws: WorkspaceId;
  readonly dev: DeviceId;
  readonly epoch: Epoch;
  readonly seq: number;
  /** The commit before in this log; null for the log's first. */
  readonly prev: CommitId | null;
  /** The capability of the commit before; null for the log's first. */
  readonly cap: CapId | null;
}

/** Of its place only the commit before counts. */
export function encodePayload(commit: Commit, place: Pick<Place, 'prev' | 'cap'>): Uint8Array {
  const { header } = commit;
  return encodeCanonical([
    fromUint64(header.hlc),
    header.deps.map(fromHex),
    header.cap === null || header.cap === place.cap ? null : idBytes(header.cap),
    kindNumber(header.kind),
    header.groups.map((ref, index): Canonical => {
      const bytes = commit.groups[index] ?? null;
      return bytes === null
        ? [formNumber(ref.form), ref.ops, fromHex(ref.hash), ref.bytes]
        : [formNumber(ref.form), ref.ops, bytes];
    }),
    commit.sig,
    header.prev === null || header.prev === place.prev ? null : fromHex(header.prev),
  ]);
}

/** Rebuilds the commit of a payload. Throws `invalid`. */
export function decodePayload(payload: Uint8Array, place: Place): Commit {
  const [hlc, deps, cap, kind, groups, sig, prev] = asArray(
    decodeCanonical(payload, FRAME_BYTES_MAX),
    'frame',
    7,
  );
  const depList = asArray(deps, 'deps');
  const groupList = asArray(groups, 'groups');
  if (depList.length > DEPS_MAX || groupList.length > GROUPS_MAX) {
    throw new WnError('invalid', 'a frame over its bounds');
  }
  const decoded = groupList.map(decodeGroupEntry);
  const commitKind = kindOf(kind);
  if (prev !== null && place.prev !== null)
    throw new WnError('invalid', 'a second chain in one log');
  const header: Header = {
    ws: commitKind === 'genesis' ? NO_WORKSPACE : place.ws,
    dev: place.dev,
    epoch: place.epoch,
    seq: place.seq,
    prev: prev === null || prev === undefined ? place.prev : toHex(asBytes(prev, 'prev', 32)),
    deps: depList.map((dep) => toHex(asBytes(dep, 'dep', 32))),
    hlc: hlcOf(hlc),
    cap: cap === null || cap === undefined ? place.cap : toHex(asBytes(cap, 'capability', 32)),
    kind: commitKind,
    groups: decoded.map((group) => group.ref),
  };
  return {
    id: commitId(header),
    log: logId(place.dev, place.epoch),
    header,
    groups: decoded.map((group) => group.bytes),
    sig: sig === null ? null : asBytes(sig, 'signature', 64),
  };
}

function decodeGroupEntry(value: Canonical): { ref: GroupRef; bytes: Uint8Array | null } {
  const parts = asArray(value, 'group entry');
  const form = formOf(parts[0]);
  const ops = asUint(parts[1], 'count of operations');
  if (parts.length === 3) {
    const bytes = asBytes(parts[2], 'group');
    return { ref: { hash: groupHash(bytes), bytes: bytes.byteLength, ops, form }, bytes };
  }
  const [, , hash, length] = asArray(value, 'detached group', 4);
  const ref = {
    hash: toHex(asBytes(hash, 'group hash', 32)),
    bytes: asUint(length, 'group length'),
    ops,
    form,
  };
  return { ref, bytes: null };
}

export const RECORD_HEAD_BYTES = 8;

/** length, CRC-32C of the payload, payload. */
export function encodeRecord(payload: Uint8Array): Uint8Array {
  const record = Buffer.allocUnsafe(RECORD_HEAD_BYTES + payload.byteLength);
  record.writeUInt32LE(payload.byteLength, 0);
  record.writeUInt32LE(crc32c(payload), 4);
  record.set(payload, RECORD_HEAD_BYTES);
  return record;
}

export type RecordRead =
  | { readonly ok: true; readonly payload: Uint8Array; readonly next: number }
  /** `torn`: the bytes end before the record does. `damaged`: they are there and wrong. */
  | { readonly ok: false; readonly why: 'end' | 'torn' | 'damaged' };

/** Reads the record at `at`. Never throws. */
export function readRecord(
  bytes: Uint8Array,
  at: number,
  payloadMax = FRAME_BYTES_MAX,
): RecordRead {
  if (at === bytes.byteLength) return { ok: false, why: 'end' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + RECORD_HEAD_BYTES > bytes.byteLength) return { ok: false, why: 'torn' };
  const length = view.getUint32(at, true);
  if (length === 0 || length > payloadMax) return { ok: false, why: 'damaged' };
  const next = at + RECORD_HEAD_BYTES + length;
  if (next > bytes.byteLength) return { ok: false, why: 'torn' };
  const payload = bytes.subarray(at + RECORD_HEAD_BYTES, next);
  if (crc32c(payload) !== view.getUint32(at + 4, true)) return { ok: false, why: 'damaged' };
  return { ok: true, payload, next };
}

const CRC_TABLES = crcTables();

/** Eight tables of CRC-32C (Castagnoli, reflected 0x82f63b78) for slicing by eight. */
function crcTables(): readonly Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  const first = tables[0] ?? new Uint32Array(256);
  for (let index = 0; index < 256; index++) {
    let crc = index;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    first[index] = crc;
  }
  for (let table = 1; table < 8; table++) {
    const [previous, current] = [tables[table - 1] ?? first, tables[table] ?? first];
    for (let index = 0; index < 256; index++) {
      const crc = previous[index] ?? 0;
      current[index] = (crc >>> 8) ^ (first[crc & 255] ?? 0);
    }
  }
  return tables;
}

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = CRC_TABLES as readonly [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = 0xffffffff;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    const low =
      crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      t7[low & 255]! ^
      t6[(low >>> 8) & 255]! ^
      t5[(low >>> 16) & 255]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 255]!;
  return (crc ^ 0xffffffff) >>> 0;
}
