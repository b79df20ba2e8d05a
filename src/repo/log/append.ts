/**
 * What an append writes: payloads as records in the segments that take them, each new
 * segment with its header. Pure; where the log's last tail ends is told.
 */
import { concat } from '../../core/bytes.js';
import { assert } from '../../core/errors.js';
import { decodePayload, encodeRecord, type Place } from '../../core/frame.js';
import { FRAME_BYTES_MAX, SEGMENT_BYTES_MAX } from '../../core/limits.js';
import type { Path } from '../../core/ports.js';
import {
  encodeSegmentHeader,
  placeAfter,
  segmentPath,
  type LogOffset,
  type Position,
} from './segment.js';

/** Payloads that continue one log. */
export interface Batch {
  /** Of the first payload. */
  readonly place: Place;
  /** Where the log's last acknowledged record ends; null for a log that has none. */
  readonly after: LogOffset | null;
  readonly payloads: readonly Uint8Array[];
}

export interface Write {
  readonly path: Path;
  readonly bytes: Uint8Array;
}

/** The writes of a batch, one for each segment it touches, in order. */
export interface Plan {
  readonly writes: readonly Write[];
  readonly positions: readonly Position[];
}

/** `end`: where the first record goes; an offset of 0 begins a segment. */
export function planAppend({ place, payloads }: Batch, end: LogOffset): Plan {
  const writes: Write[] = [];
  const positions: Position[] = [];
  let { segment, offset } = end;
  let parts: Uint8Array[] = [];
  const finish = (): void => {
    writes.push({ path: segmentPath(place, segment, 'tail'), bytes: concat(parts) });
  };
  /** The place of `payloads[placed]`; followed only where a segment begins. */
  let [next, placed] = [place, 0];
  payloads.forEach((payload, index) => {
    assert(
      payload.byteLength > 0 && payload.byteLength <= FRAME_BYTES_MAX,
      'a payload out of bounds',
    );
    if (offset >= SEGMENT_BYTES_MAX) {
      finish();
      [segment, offset, parts] = [place.seq + index, 0, []];
    }
    if (offset === 0) {
      for (; placed < index; placed++) {
        const before = payloads[placed] ?? new Uint8Array(0);
        next = placeAfter(decodePayload(before, next), next);
      }
      const header = encodeSegmentHeader(next);
      parts.push(header);
      offset = header.byteLength;
    }
    const record = encodeRecord(payload);
    parts.push(record);
    positions.push({ segment, offset, length: record.byteLength });
    offset += record.byteLength;
  });
  if (parts.length > 0) finish();
  return { writes, positions };
}
