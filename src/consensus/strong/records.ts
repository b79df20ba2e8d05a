/**
 * `strong/log` as a file: framed records of entries and certificates, read in windows.
 * What stands behind the last certificate was never acknowledged and is cut by the next
 * writer; damage anywhere before is told, and never cut. Leaves out what entries mean.
 */
import {
  asArray,
  asBytes,
  asUint,
  decodeCanonical,
  encodeCanonical,
} from '../../core/canonical.js';
import { WnError } from '../../core/errors.js';
import { readRecord, RECORD_HEAD_BYTES } from '../../core/frame.js';
import {
  RESYNC_BYTES_MAX,
  STRONG_ENTRY_BYTES_MAX,
  STRONG_LEDGER_WINDOW_BYTES,
} from '../../core/limits.js';
import type { Path, Storage } from '../../core/ports.js';
import { holdsRecord, looksTorn } from '../../core/torn.js';
import { decodeCertificate, encodeCertificate } from './certificate.js';
import { asEntryType, typeNumber } from './entry.js';
import type { Certificate, EntryType, LedgerRecord } from './types.js';

export const LOG: Path = 'strong/log';

/** An entry as it stands there: its index is the next one. */
export type PlacedRecord =
  | {
      readonly record: 'entry';
      readonly term: number;
      readonly type: EntryType;
      readonly data: Uint8Array;
    }
  | { readonly record: 'certificate'; readonly certificate: Certificate };

export function encodeLedgerRecord(record: LedgerRecord): Uint8Array {
  if (record.record === 'certificate') {
    return encodeCanonical([1, encodeCertificate(record.certificate)]);
  }
  const { term, type, data } = record.entry;
  return encodeCanonical([0, term, typeNumber(type), data]);
}

/** An entry's data and what stands around it; a certificate has at most that. */
const PAYLOAD_BYTES_MAX = STRONG_ENTRY_BYTES_MAX + 64;

/** Throws `invalid`. */
export function decodeLedgerRecord(payload: Uint8Array): PlacedRecord {
  const parts = asArray(decodeCanonical(payload, PAYLOAD_BYTES_MAX), 'record of the ledger');
  if (parts[0] === 1) {
    const [, certificate] = asArray(parts, 'certificate', 2);
    return { record: 'certificate', certificate: decodeCertificate(certificate) };
  }
  if (parts[0] !== 0) throw new WnError('invalid', 'a record of a kind that nobody makes');
  const [, term, type, data] = asArray(parts, 'entry', 4);
  return {
    record: 'entry',
    term: asUint(term, 'term'),
    type: asEntryType(type),
    data: asBytes(data, 'data of an entry'),
  };
}

export interface ReadRecord {
  /** Where its frame begins, and where the next one does. */
  readonly at: number;
  readonly next: number;
  readonly payload: Uint8Array;
  readonly record: PlacedRecord;
}

/**
 * The records from byte `from` on, as far as they can be read: a torn end ends them.
 * Throws `damage`.
 */
export async function* readRecords(
  storage: Storage,
  from: number,
): AsyncGenerator<ReadRecord, void, undefined> {
  for (let start = from; ;) {
    const window = await storage.read(LOG, start, start + STRONG_LEDGER_WINDOW_BYTES);
    if (window === null || window.byteLength === 0) return;
    let at = 0;
    for (;;) {
      const read = readRecord(window, at, PAYLOAD_BYTES_MAX);
      if (!read.ok) {
        const goesOn = read.why === 'end' || (read.why === 'torn' && at > 0);
        if (!goesOn) return checkTorn(storage, start + at);
        break;
      }
      const where = { at: start + at, next: start + read.next };
      yield { ...where, payload: read.payload, record: decoded(read.payload, where.at) };
      at = read.next;
    }
    start += at;
  }
}

function decoded(payload: Uint8Array, at: number): PlacedRecord {
  try {
    return decodeLedgerRecord(payload);
  } catch (cause) {
    if (!(cause instanceof WnError)) throw cause;
    throw ledgerDamage(at, 'a record is no entry and no certificate', cause);
  }
}

/** Throws `damage` unless what begins at `at` is what a cut-off append leaves. */
async function checkTorn(storage: Storage, at: number): Promise<void> {
  const rest = await storage.read(LOG, at, at + RESYNC_BYTES_MAX + RECORD_HEAD_BYTES);
  if (rest === null || rest.byteLength === 0) return;
  const isShort = rest.byteLength <= RESYNC_BYTES_MAX;
  if (!isShort || !looksTorn(rest) || holdsRecord(rest)) {
    throw ledgerDamage(at, 'a record is damaged');
  }
}

export function ledgerDamage(at: number, what: string, cause?: unknown): WnError {
  const message = `${LOG} at byte ${at}: ${what}. Nothing was changed.`;
  return new WnError('damage', message, {
    hint: `move the folder strong away and sync: the ledger is fetched again and checked`,
    details: { file: LOG, offset: at },
    cause,
  });
}
