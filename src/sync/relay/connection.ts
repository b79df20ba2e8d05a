/** A relay's connections: what happens to them, what may be ordered for them, what each is at. */
import { WnError } from '../../core/errors.js';
import { MAILBOX_ITEM_BYTES_MAX } from '../../core/limits.js';
import type { MailAnswer, MailRequest } from './boxes.js';
import type { Channel } from './proof.js';
import {
  ITEM_ID_BYTES,
  KEY_BYTES,
  KIND,
  SIGNATURE_BYTES,
  TOKEN_BYTES,
  type NoCode,
  type RecordReader,
} from './wire.js';

export type ConnectionId = number;

export type HubEvent =
  | { readonly type: 'opened'; readonly id: ConnectionId; readonly address: string }
  /** Handshakes below are done; `exporter`: of TLS that ends here. */
  | { readonly type: 'secured'; readonly id: ConnectionId; readonly exporter: Uint8Array | null }
  | { readonly type: 'bytes'; readonly id: ConnectionId; readonly bytes: Uint8Array }
  | { readonly type: 'closed'; readonly id: ConnectionId }
  /** What became of the request of the `mail` effect. */
  | { readonly type: 'mail'; readonly id: ConnectionId; readonly answer: MailAnswer }
  /** Time has passed; once a second will do. */
  | { readonly type: 'tick' }
  | { readonly type: 'drain' };

export type HubEffect =
  | { readonly type: 'send'; readonly id: ConnectionId; readonly bytes: Uint8Array }
  /** Once what was sent has left. */
  | { readonly type: 'close'; readonly id: ConnectionId }
  /** From now on, bytes of each go to the other, and the hub hears of neither until it closes. */
  | { readonly type: 'pipe'; readonly ids: readonly [ConnectionId, ConnectionId] }
  | {
      readonly type: 'mail';
      readonly id: ConnectionId;
      readonly box: string;
      readonly request: MailRequest;
    }
  | { readonly type: 'log'; readonly entry: LogEntry };

/** Facts for the operator: addresses, sizes and reasons, and never a key. */
export interface LogEntry {
  readonly event: 'refused' | 'listening' | 'left' | 'piped' | 'ended' | 'mail';
  readonly id: ConnectionId;
  readonly from: string;
  readonly why?: string;
  /** Of an item put into a mailbox. */
  readonly bytes?: number;
}

export type State =
  | { readonly at: 'unproven' }
  | { readonly at: 'listening'; readonly name: string }
  | { readonly at: 'called' }
  | { readonly at: 'joining'; readonly pair: Pair }
  | { readonly at: 'piped'; readonly pair: Pair }
  | { readonly at: 'box'; readonly key: Uint8Array; readonly box: string; busy: boolean }
  | { readonly at: 'closing' };

export interface Connection {
  readonly id: ConnectionId;
  readonly address: string;
  readonly source: string;
  readonly reader: RecordReader;
  channel: Channel;
  /** It has shown the magic, and was answered. */
  greeted: boolean;
  state: State;
  /** When it is closed unless something happens before. */
  deadlineMs: number;
}

/** A caller and a listener on their way to each other. */
export interface Pair {
  readonly caller: string;
  readonly name: string;
  readonly tokens: readonly [string, string];
  readonly expiresMs: number;
  readonly joined: (Connection | null)[];
  over: boolean;
}

const LENGTHS: ReadonlyMap<number, number> = new Map([
  [KIND.listen, KEY_BYTES + SIGNATURE_BYTES],
  [KIND.connect, 2 * KEY_BYTES + SIGNATURE_BYTES],
  [KIND.join, TOKEN_BYTES],
  [KIND.ping, 0],
  [KIND.box, KEY_BYTES + SIGNATURE_BYTES],
  [KIND.list, 0],
  [KIND.get, ITEM_ID_BYTES],
  [KIND.ack, ITEM_ID_BYTES + SIGNATURE_BYTES],
]);

/** Ends a connection with a reason for the client and one for the log. */
export class Refusal extends Error {
  constructor(
    readonly code: NoCode,
    readonly why: string,
  ) {
    super(why);
  }
}

/** Before anything is allocated. */
export function checkHead({ state }: Connection, kind: number, length: number): void {
  if (LENGTHS.get(kind) === length) return;
  const item = kind === KIND.put && length > 0 && length <= MAILBOX_ITEM_BYTES_MAX;
  if (item && state.at === 'box' && !state.busy) return;
  throw new WnError('invalid', `a record of kind ${kind} and ${length} bytes`);
}
