/**
 * Which ops bear on a worknode, by time and commit. Ops that one log wrote one after the
 * other on the same worknode stand in one pair of the index, a run, so that a group of
 * commits of one file costs few writes. Runs of several logs may overlap in time.
 *
 *   run = (time u64, seq u48)*     under worknode, first time and log
 */
import type { NodeId } from '../../core/ids.js';
import { key, parseTouches, type Key, type LogNumber, type Tables } from './tables.js';

export interface Touch {
  readonly time: bigint;
  readonly log: LogNumber;
  readonly seq: number;
}

const TOUCH_BYTES = 14;
const RUN_TOUCHES_MAX = 64;

/** Every op that bears on a worknode, in the order of time, then of the log's number. */
export function touchesOf(tables: Tables, node: NodeId): readonly Touch[] {
  const touches: Touch[] = [];
  let sorted = true;
  for (const [at, run] of tables.prefix(key.touchesOf(node))) {
    const log = parseTouches(at);
    const view = Buffer.from(run.buffer, run.byteOffset, run.byteLength);
    for (let from = 0; from < view.length; from += TOUCH_BYTES) {
      const touch = { time: view.readBigUInt64BE(from), log, seq: view.readUIntBE(from + 8, 6) };
      const before = touches.at(-1);
      if (before !== undefined && compare(before, touch) > 0) sorted = false;
      touches.push(touch);
    }
  }
  return sorted ? touches : touches.sort(compare);
}

function compare(a: Touch, b: Touch): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.log - b.log;
}

/** Notes touches. The run that was written to last grows until it is full or written out. */
export class TouchLog {
  private node: NodeId = '';
  private log: LogNumber = 0;
  private at: Key = '';
  /** As it stands in the overlay: the beginning of `room`. */
  private run: Uint8Array = NONE;
  private room: Uint8Array = NONE;

  constructor(private readonly tables: Tables) {}

  note(node: NodeId, { time, log, seq }: Touch): void {
    if (!this.continues(node, log)) {
      [this.node, this.log, this.at] = [node, log, key.touches(node, time, log)];
      // Only a log that stamps its commits backwards, a dead one, has a run there already.
      this.run = this.tables.get(this.at) ?? NONE;
      this.room = this.run;
    }
    const end = this.run.byteLength;
    if (end + TOUCH_BYTES > this.room.byteLength) {
      this.room = Buffer.allocUnsafe(Math.max(TOUCH_BYTES, 2 * end));
      this.room.set(this.run);
    }
    const view = Buffer.from(this.room.buffer, this.room.byteOffset, this.room.byteLength);
    view.writeBigUInt64BE(time, end);
    view.writeUIntBE(seq, end + 8, 6);
    this.run = this.room.subarray(0, end + TOUCH_BYTES);
    this.tables.put(this.at, this.run);
  }

  private continues(node: NodeId, log: LogNumber): boolean {
    if (this.node !== node || this.log !== log) return false;
    const isFull = this.run.byteLength >= RUN_TOUCHES_MAX * TOUCH_BYTES;
    return !isFull && this.tables.unwritten(this.at) === this.run;
  }
}

const NONE = new Uint8Array();
