/**
 * Mailboxes as a relay keeps them: sealed items in a folder for each box, within bounds,
 * for a while. What is acknowledged is on disk. Leaves out who may ask (`hub.ts`) and what
 * is in the items, which nobody here can tell.
 */
import { toHex } from '../../core/bytes.js';
import {
  MAILBOX_BYTES_MAX,
  MAILBOX_ITEMS_MAX,
  MAILBOX_KEPT_MS,
  MAILBOXES_BYTES_MAX,
} from '../../core/limits.js';
import type { Rng, Storage } from '../../core/ports.js';
import { ITEM_ID_BYTES } from './wire.js';

export interface ItemInfo {
  /** Hex, 16 bytes. */
  readonly id: string;
  readonly bytes: number;
  /** When it was put there, by the relay's clock. */
  readonly atMs: number;
}

export type MailRequest =
  | { readonly type: 'put'; readonly bytes: Uint8Array }
  | { readonly type: 'list' }
  | { readonly type: 'get'; readonly item: string }
  | { readonly type: 'ack'; readonly item: string };

export type MailAnswer =
  | { readonly type: 'stored'; readonly item: string }
  | { readonly type: 'full' }
  | { readonly type: 'items'; readonly items: readonly ItemInfo[] }
  | { readonly type: 'item'; readonly bytes: Uint8Array | null }
  | { readonly type: 'done' }
  /** The relay's disk failed; nothing was acknowledged. */
  | { readonly type: 'failed' };

interface Box {
  bytes: number;
  /** Oldest first. */
  items: readonly ItemInfo[];
}

export class Boxes {
  private readonly boxes = new Map<string, Box>();
  private total = 0;

  constructor(
    private readonly storage: Pick<Storage, 'create' | 'read' | 'remove' | 'list' | 'size'>,
    private readonly rng: Rng,
    private readonly roomBytes = MAILBOXES_BYTES_MAX,
  ) {}

  /** Takes stock of what is there. Others' files are left alone. */
  async open(): Promise<void> {
    for (const path of await this.storage.list('')) {
      const [, box, at, id] = /^([0-9a-f]{64})\/(\d{15})-([0-9a-f]{32})$/.exec(path) ?? [];
      if (box === undefined || at === undefined || id === undefined) continue;
      const bytes = (await this.storage.size(path)) ?? 0;
      this.enter(box, { id, bytes, atMs: Number(at) });
    }
  }

  /** `box` is hex, 32 bytes. Throws for faults of the disk. */
  async answer(box: string, request: MailRequest, nowMs: number): Promise<MailAnswer> {
    await this.expire(box, nowMs);
    switch (request.type) {
      case 'put':
        return this.put(box, request.bytes, nowMs);
      case 'list':
        return { type: 'items', items: this.boxes.get(box)?.items ?? [] };
      case 'get': {
        const info = this.find(box, request.item);
        return { type: 'item', bytes: info ? await this.storage.read(pathOf(box, info)) : null };
      }
      case 'ack': {
        const info = this.find(box, request.item);
        if (info !== undefined) await this.remove(box, info);
        return { type: 'done' };
      }
    }
  }

  /** Removes what has been there too long, in all boxes. */
  async sweep(nowMs: number): Promise<void> {
    for (const box of [...this.boxes.keys()]) await this.expire(box, nowMs);
  }

  private async put(box: string, bytes: Uint8Array, nowMs: number): Promise<MailAnswer> {
    const { bytes: held, items } = this.boxes.get(box) ?? { bytes: 0, items: [] };
    const size = bytes.byteLength;
    const full =
      items.length >= MAILBOX_ITEMS_MAX ||
      held + size > MAILBOX_BYTES_MAX ||
      this.total + size > this.roomBytes;
    if (full) return { type: 'full' };
    const info = { id: toHex(this.rng.bytes(ITEM_ID_BYTES)), bytes: size, atMs: nowMs };
    // Entered first, so that of two at a time the second sees the room that the first takes.
    this.enter(box, info);
    try {
      await this.storage.create(pathOf(box, info), bytes);
    } catch (error) {
      this.strike(box, info);
      throw error;
    }
    return { type: 'stored', item: info.id };
  }

  private find(box: string, id: string): ItemInfo | undefined {
    return this.boxes.get(box)?.items.find((item) => item.id === id);
  }

  private async expire(box: string, nowMs: number): Promise<void> {
    const items = this.boxes.get(box)?.items ?? [];
    for (const info of items.filter(({ atMs }) => atMs + MAILBOX_KEPT_MS <= nowMs)) {
      await this.remove(box, info);
    }
  }

  private async remove(box: string, info: ItemInfo): Promise<void> {
    await this.storage.remove(pathOf(box, info));
    this.strike(box, info);
  }

  private enter(box: string, info: ItemInfo): void {
    const { bytes, items } = this.boxes.get(box) ?? { bytes: 0, items: [] };
    this.boxes.set(box, { bytes: bytes + info.bytes, items: [...items, info] });
    this.total += info.bytes;
  }

  private strike(box: string, { id }: ItemInfo): void {
    const held = this.boxes.get(box);
    const info = held?.items.find((item) => item.id === id);
    if (held === undefined || info === undefined) return;
    this.total -= info.bytes;
    const items = held.items.filter((item) => item !== info);
    if (items.length === 0) this.boxes.delete(box);
    else this.boxes.set(box, { bytes: held.bytes - info.bytes, items });
  }
}

/** Names sort by time. */
function pathOf(box: string, { id, atMs }: ItemInfo): string {
  return `${box}/${String(atMs).padStart(15, '0')}-${id}`;
}
