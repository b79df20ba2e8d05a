/**
 * Deposits: a bundle in the parts that a mailbox takes, and back. A mailbox is a cache:
 * what is lost or can't be used is dropped, since the next sync finds what is missing.
 */
import { toHex } from '../../core/bytes.js';
import { WnError } from '../../core/errors.js';
import { MAILBOX_BYTES_MAX } from '../../core/limits.js';
import type { Rng } from '../../core/ports.js';
import { readBundle, writeBundle, type BundleTarget } from '../bundle.js';
import type { BundleSource, HaveEntry } from '../store.js';
import type { OpenMailbox } from './mailclient.js';
import { PART_BYTES_MAX, seal, unseal, type Mailbox, type Part } from './seal.js';

/** Puts everything beyond `since` there. Throws `too_large` where no box could hold it. */
export async function deposit(
  source: BundleSource,
  since: readonly HaveEntry[],
  mailbox: Mailbox,
  open: OpenMailbox,
  rng: Rng,
): Promise<void> {
  const bytes = await gather(writeBundle(source, since));
  const count = Math.ceil(bytes.byteLength / PART_BYTES_MAX);
  const id = rng.bytes(16);
  for (let index = 0; index < count; index++) {
    const part = bytes.subarray(index * PART_BYTES_MAX, (index + 1) * PART_BYTES_MAX);
    await open.put(seal(mailbox, { deposit: id, index, count, bytes: part }, rng));
  }
}

async function gather(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.byteLength;
    if (size > MAILBOX_BYTES_MAX) {
      throw new WnError('too_large', 'more is missing over there than a mailbox holds', {
        hint: 'nothing was sent; sync when the device is there again',
      });
    }
    parts.push(piece);
  }
  return Buffer.concat(parts);
}

interface Arriving {
  readonly ids: string[];
  readonly parts: (Part | undefined)[];
}

/** Takes in every whole deposit; gives how many commits were new. `seed` is the reader's. */
export async function collect(
  target: BundleTarget,
  mailbox: Mailbox,
  seed: Uint8Array,
  open: OpenMailbox,
): Promise<number> {
  const arriving = new Map<string, Arriving>();
  let added = 0;
  for (const id of await open.list()) {
    const item = await open.get(id);
    if (item === null) continue;
    const part = unseal(mailbox, seed, item);
    if (part === null) {
      await open.acknowledge(id); // nobody can ever read it
      continue;
    }
    const key = toHex(part.deposit);
    const { ids, parts } = arriving.get(key) ?? { ids: [], parts: [] };
    ids.push(id);
    parts[part.index] = part;
    arriving.set(key, { ids, parts });
    if (Object.keys(parts).length < part.count) continue;
    arriving.delete(key);
    added += await takeIn(target, parts);
    for (const whole of ids) await open.acknowledge(whole);
  }
  return added;
}

async function takeIn(target: BundleTarget, parts: readonly (Part | undefined)[]): Promise<number> {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (const part of parts) if (part !== undefined) yield part.bytes;
  };
  try {
    return (await readBundle(pieces(), target)).added;
  } catch (error) {
    if (error instanceof WnError && OF_THE_DEPOSIT.has(error.code)) return 0;
    throw error;
  }
}

/** What is wrong with a deposit for good: its basis was lost, or another version made it. */
const OF_THE_DEPOSIT: ReadonlySet<string> = new Set([
  'condition_not_met',
  'invalid',
  'damage',
  'unknown_format',
]);
