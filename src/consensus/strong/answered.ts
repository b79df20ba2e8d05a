/**
 * Requests that were answered, so that the same one again is a repeat. They are remembered
 * for as long as one of them could still be in time, or until there are too many: then the
 * oldest go, and what of their authors isn't stamped later than they were is refused as
 * `forgotten`. So none is ever done twice.
 */
import type { DeviceId } from '../../core/ids.js';
import {
  CLOCK_AHEAD_MAX_MS,
  STRONG_ANSWERED_MAX,
  STRONG_STAMP_AGE_MAX_MS,
} from '../../core/limits.js';
import { Trie } from './trie.js';
import type { Answered, Cell, Remembered, StrongState } from './state.js';

/** A stamp may lie this far before an entry's time or, by the second, after it. */
const REMEMBERED_MS = STRONG_STAMP_AGE_MAX_MS + CLOCK_AHEAD_MAX_MS;

export type Memory = Pick<StrongState, 'answered' | 'remembered' | 'floors'>;

export const NO_MEMORY: Memory = {
  answered: Trie.empty(),
  remembered: { front: null, back: null },
  floors: Trie.empty(),
};

/** `memory` with one more answer, without those that are too old or too many. */
export function remember(memory: Memory, item: Answered, most = STRONG_ANSWERED_MAX): Memory {
  let answered = memory.answered.with(item.key, item);
  let remembered = pushed(memory.remembered, item);
  let { floors } = memory;
  for (;;) {
    const oldest = remembered.front?.item;
    if (oldest === undefined) break;
    const isOld = oldest.timeMs + REMEMBERED_MS < item.timeMs;
    if (!isOld && answered.size <= most) break;
    answered = answered.without(oldest.key);
    remembered = withoutOldest(remembered);
    if (!isOld) floors = raised(floors, oldest.author, oldest.hlcMs);
  }
  return { answered, remembered, floors };
}

/** Whether a request of this author and stamp may be one that isn't remembered any more. */
export function isForgotten({ floors }: Memory, author: DeviceId, hlcMs: number): boolean {
  return hlcMs <= (floors.get(author) ?? -1);
}

/** Oldest first. */
export function* inOrder({ front, back }: Remembered): Generator<Answered> {
  for (let cell = front; cell !== null; cell = cell.next) yield cell.item;
  for (let cell = reversed(back); cell !== null; cell = cell.next) yield cell.item;
}

/** The memory of answers given oldest first, whole. */
export function memoryOf(items: readonly Answered[], floors: Trie<number>): Memory {
  let answered = Trie.empty<Answered>();
  let { remembered } = NO_MEMORY;
  for (const item of items) {
    answered = answered.with(item.key, item);
    remembered = pushed(remembered, item);
  }
  return { answered, remembered, floors };
}

function raised(floors: Trie<number>, author: DeviceId, hlcMs: number): Trie<number> {
  return hlcMs <= (floors.get(author) ?? -1) ? floors : floors.with(author, hlcMs);
}

/** `front` is empty only where the whole queue is, so that the oldest is always at hand. */
function pushed({ front, back }: Remembered, item: Answered): Remembered {
  if (front === null) return { front: { item, next: null }, back: null };
  return { front, back: { item, next: back } };
}

function withoutOldest({ front, back }: Remembered): Remembered {
  const rest = front?.next ?? null;
  return rest === null ? { front: reversed(back), back: null } : { front: rest, back };
}

function reversed(cell: Cell | null): Cell | null {
  let turned: Cell | null = null;
  for (let at = cell; at !== null; at = at.next) turned = { item: at.item, next: turned };
  return turned;
}
