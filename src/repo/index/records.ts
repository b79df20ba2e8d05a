/**
 * What the index's tables hold, and how each record is laid out. Disposable: a change
 * here raises INDEX_VERSION and the index is built anew.
 */
import { asArray, asUint, decodeCanonical, encodeCanonical } from '../../core/canonical.js';
import { fromHex, toHex } from '../../core/bytes.js';
import type { CapId, CommitId, DeviceId, Epoch, LogId } from '../../core/ids.js';
import type { Position } from '../log/segment.js';
import type { LogNumber } from './tables.js';

/** `dead`: authorised no longer, or never. `held`: of a newer version, not folded. */
export type CommitState = 'live' | 'dead' | 'held';
const STATES: readonly CommitState[] = ['live', 'dead', 'held'];

export interface CommitRecord {
  readonly id: CommitId;
  readonly hlc: bigint;
  /** Count of ops over all groups. */
  readonly ops: number;
  readonly position: Position;
  readonly state: CommitState;
  /** The frame carries a signature that was checked here. */
  readonly signed: boolean;
  /** The next commit of the log continues the same change. */
  readonly part: boolean;
}

export const COMMIT_RECORD_BYTES = 58;
const FLAGS_AT = 57;
/** Set in every record, so that an empty place in a block isn't taken for one. */
const IS_RECORD = 0x80;

/** Writes a record into `block` at `offset`. */
export function encodeCommitRecord(record: CommitRecord, block: Uint8Array, offset: number): void {
  const bytes = Buffer.from(block.buffer, block.byteOffset + offset, COMMIT_RECORD_BYTES);
  bytes.write(record.id, 0, 'hex');
  bytes.writeBigUInt64BE(record.hlc, 32);
  bytes.writeUInt16BE(record.ops, 40);
  bytes.writeUIntBE(record.position.segment, 42, 6);
  bytes.writeUInt32BE(record.position.offset, 48);
  bytes.writeUIntBE(record.position.length, 52, 5);
  const state = STATES.indexOf(record.state);
  bytes[FLAGS_AT] = IS_RECORD | state | (record.signed ? 4 : 0) | (record.part ? 8 : 0);
}

export function hasRecord(block: Uint8Array, offset: number): boolean {
  return (block[offset + FLAGS_AT] ?? 0) >= IS_RECORD;
}

export function decodeCommitRecord(block: Uint8Array, offset: number): CommitRecord {
  const bytes = Buffer.from(block.buffer, block.byteOffset + offset, COMMIT_RECORD_BYTES);
  const flags = bytes.readUInt8(FLAGS_AT);
  return {
    id: toHex(bytes.subarray(0, 32)),
    hlc: bytes.readBigUInt64BE(32),
    ops: bytes.readUInt16BE(40),
    position: {
      segment: bytes.readUIntBE(42, 6),
      offset: bytes.readUInt32BE(48),
      length: bytes.readUIntBE(52, 5),
    },
    state: STATES[flags & 3] ?? 'live',
    signed: (flags & 4) !== 0,
    part: (flags & 8) !== 0,
  };
}

export interface LogRecord {
  readonly number: LogNumber;
  readonly dev: DeviceId;
  readonly epoch: Epoch;
  /** The commit before this log's first: of another log; null where the log begins a device. */
  readonly link: { readonly log: LogId; readonly seq: number } | null;
  readonly firstSeq: number;
  /** Newest commit held on disk; pending ones count. Below `firstSeq` while there is none. */
  readonly stored: { readonly seq: number; readonly id: CommitId; readonly lastTime: bigint };
  /** Newest commit in the frontier; below `firstSeq` when there is none. */
  readonly folded: number;
  /** How many commits up to `folded` wait for a newer program. */
  readonly held: number;
  /** The capability that the newest held commit cites. */
  readonly cap: CapId | null;
  /** End of the newest held record: what has been acknowledged. */
  readonly end: { readonly segment: number; readonly offset: number };
}

export function encodeLogRecord(record: LogRecord): Uint8Array {
  return encodeCanonical([
    record.number,
    fromHex(record.dev),
    fromHex(record.epoch),
    record.link === null ? null : [fromHex(record.link.log), record.link.seq],
    record.firstSeq,
    [record.stored.seq + 1, fromHex(record.stored.id), record.stored.lastTime],
    record.folded + 1,
    record.cap === null ? null : fromHex(record.cap),
    [record.end.segment, record.end.offset],
    record.held,
  ]);
}

export function decodeLogRecord(bytes: Uint8Array): LogRecord {
  const parts = asArray(decodeCanonical(bytes), 'log record', 10);
  const link = parts[3] ?? null;
  const [seq, id, lastTime] = asArray(parts[5], 'head', 3);
  const [segment, offset] = asArray(parts[8], 'end', 2);
  const hex = (value: unknown): string => toHex(value as Uint8Array);
  return {
    number: asUint(parts[0], 'number'),
    dev: hex(parts[1]),
    epoch: hex(parts[2]),
    link:
      link === null
        ? null
        : {
            log: hex((link as readonly unknown[])[0]),
            seq: Number((link as readonly unknown[])[1]),
          },
    firstSeq: asUint(parts[4], 'first seq'),
    stored: {
      seq: asUint(seq, 'seq') - 1,
      id: hex(id),
      lastTime: BigInt(lastTime as number | bigint),
    },
    folded: asUint(parts[6], 'folded') - 1,
    cap: parts[7] === null ? null : hex(parts[7]),
    end: { segment: asUint(segment, 'segment'), offset: asUint(offset, 'offset') },
    held: asUint(parts[9], 'held'),
  };
}

/** A seq as a value. */
export function encodeSeq(seq: number): Uint8Array {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(seq, 0, 6);
  return bytes;
}

export function decodeSeq(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUIntBE(0, 6);
}

export const PRESENT = Uint8Array.of(1);
