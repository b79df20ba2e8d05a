/** A relay's hub with virtual time, and clients that speak to it byte for byte. */
import assert from 'node:assert/strict';
import { fromHex } from '../../../src/core/bytes.js';
import { signerFromSeed, type Signer } from '../../../src/core/crypto.js';
import type { HubEffect, HubEvent, LogEntry } from '../../../src/sync/relay/connection.js';
import { RelayHub } from '../../../src/sync/relay/hub.js';
import { listenerName, prove, type Channel } from '../../../src/sync/relay/proof.js';
import {
  decodeHead,
  encodeRecord,
  KIND,
  RECORD_HEAD_BYTES,
  RELAY_MAGIC,
  type RelayRecord,
} from '../../../src/sync/relay/wire.js';
import { SimRng } from '../../sim/random.js';

export const signer = (n: number): Signer => signerFromSeed(new Uint8Array(32).fill(n));

export const nameOf = ({ publicKey }: Signer): Uint8Array => fromHex(listenerName(publicKey));

export class HubUnderTest {
  readonly hub = new RelayHub(new SimRng(1));
  nowMs = 0;
  readonly pipes: (readonly [number, number])[] = [];
  readonly log: LogEntry[] = [];
  readonly mail: (HubEffect & { readonly type: 'mail' })[] = [];
  private readonly clients = new Map<number, Client>();
  private last = 0;

  open(address = '192.0.2.1', exporter: Uint8Array | null = null): Client {
    const id = ++this.last;
    const client = new Client(this, id, exporter);
    this.clients.set(id, client);
    this.tell({ type: 'opened', id, address });
    this.tell({ type: 'secured', id, exporter });
    return client;
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.tell({ type: 'tick' });
  }

  tell(event: HubEvent): void {
    for (const effect of this.hub.handle(event, this.nowMs)) this.perform(effect);
  }

  private perform(effect: HubEffect): void {
    if (effect.type === 'mail') {
      this.mail.push(effect);
      return;
    }
    if (effect.type === 'log') this.log.push(effect.entry);
    else if (effect.type === 'pipe') this.pipes.push(effect.ids);
    else if (effect.type === 'send') this.clients.get(effect.id)?.received.push(effect.bytes);
    else {
      const client = this.clients.get(effect.id);
      assert.ok(client);
      client.closed = true;
      this.tell({ type: 'closed', id: effect.id });
    }
  }
}

export class Client {
  readonly received: Uint8Array[] = [];
  closed = false;
  private at = 0;

  constructor(
    private readonly under: HubUnderTest,
    readonly id: number,
    private readonly exporter: Uint8Array | null,
  ) {}

  send(bytes: Uint8Array): void {
    this.under.tell({ type: 'bytes', id: this.id, bytes });
  }

  leave(): void {
    this.closed = true;
    this.under.tell({ type: 'closed', id: this.id });
  }

  /** The next record from the hub; null if there is none. */
  next(): RelayRecord | null {
    const bytes = Buffer.concat(this.received);
    if (this.at === 0 && bytes.byteLength > 0) {
      assert.ok(bytes.subarray(0, RELAY_MAGIC.byteLength).equals(RELAY_MAGIC), 'the magic first');
      this.at = RELAY_MAGIC.byteLength;
    }
    if (bytes.byteLength < this.at + RECORD_HEAD_BYTES) return null;
    const { kind, length } = decodeHead(bytes.subarray(this.at));
    const from = this.at + RECORD_HEAD_BYTES;
    this.at = from + length;
    return { kind, body: bytes.subarray(from, this.at) };
  }

  expect(kind: number): Uint8Array {
    const record = this.next();
    assert.equal(record?.kind, kind, `record ${record?.kind} ${record?.body.join()}`);
    return record?.body ?? new Uint8Array();
  }

  greet(): Channel {
    this.send(RELAY_MAGIC);
    const body = this.expect(KIND.challenge);
    return { nonce: body.subarray(1), exporter: body[0] === 1 ? this.exporter : null };
  }

  listen(key: Signer): void {
    const proof = prove(key, KIND.listen, this.greet());
    this.send(encodeRecord(KIND.listen, fromHex(key.publicKey), proof));
  }

  connect(key: Signer, target: Uint8Array): void {
    const proof = prove(key, KIND.connect, this.greet(), target);
    this.send(encodeRecord(KIND.connect, fromHex(key.publicKey), target, proof));
  }

  join(token: Uint8Array): void {
    this.send(encodeRecord(KIND.join, token));
  }

  refusedWith(code: number): void {
    assert.deepEqual([...this.expect(KIND.no)], [code]);
    assert.ok(this.closed, 'the connection is closed');
  }
}
