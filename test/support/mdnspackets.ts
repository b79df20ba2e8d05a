/** Packets of multicast DNS (RFC 1035, 4.1) by hand, good ones and those that nobody should send. */
import type { Announcement } from '../../src/core/ports.js';

const SERVICE = '_wn._tcp.local';
const [PTR, TXT, SRV] = [12, 16, 33];

function name(text: string): Buffer {
  const labels = text.split('.').map((label) => Buffer.from(label));
  const parts = labels.flatMap((label) => [Buffer.of(label.byteLength), label]);
  return Buffer.concat([...parts, Buffer.of(0)]);
}

export function record(owner: Buffer, type: number, data: Buffer, ttl = 120): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(data.byteLength, 8);
  return Buffer.concat([owner, head, data]);
}

/** An answer that holds these records; `count` is what its head says. */
export function answer(records: readonly Buffer[], count = records.length): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x8400, 2);
  head.writeUInt16BE(count, 6);
  return Buffer.concat([head, ...records]);
}

export function announcementPacket({ instance, tag, port }: Announcement): Buffer {
  const owner = name(`${instance}.${SERVICE}`);
  const srv = Buffer.concat([Buffer.alloc(6), name(`${instance}.local`)]);
  srv.writeUInt16BE(port, 4);
  const text = Buffer.from(`m=${tag}`);
  return answer([
    record(name(SERVICE), PTR, owner),
    record(owner, SRV, srv),
    record(owner, TXT, Buffer.concat([Buffer.of(text.byteLength), text])),
  ]);
}

/** What must neither end nor hold up who hears it. */
export function hostilePackets(): readonly Buffer[] {
  const service = name(SERVICE);
  const pointer = Buffer.of(0xc0, 12);
  const short = (type: number, data: Buffer): Buffer => record(pointer, type, data);
  const many = (type: number, data: Buffer, count: number): Buffer =>
    answer([record(service, type, data), ...Array<Buffer>(count).fill(short(type, data))]);
  const escapes = name(`\u001b[2J\u0007\r\n.${SERVICE}`);
  const strings = Buffer.concat(
    Array<Buffer>(200).fill(Buffer.concat([Buffer.of(255), Buffer.alloc(255, 'm=')])),
  );
  return [
    Buffer.alloc(0),
    Buffer.alloc(11),
    answer([], 65_535),
    answer([Buffer.of(0xc0, 12, 0, 1)]),
    answer([record(Buffer.of(0xc0, 12), PTR, Buffer.of(0xc0, 12))]),
    many(PTR, pointer, 4_000),
    many(SRV, Buffer.of(0, 0, 0, 0, 0, 0, 0xc0, 12), 3_000),
    many(TXT, strings, 0),
    answer([
      record(escapes, SRV, Buffer.concat([Buffer.alloc(6, 255), escapes])),
      record(escapes, TXT, strings),
    ]),
    answer([record(name(`x.${SERVICE}`), SRV, Buffer.alloc(3))]),
    answer([record(name(`x.${SERVICE}`), TXT, Buffer.alloc(0))]),
    answer([record(name(`__proto__.${SERVICE}`), TXT, Buffer.from('\u000b__proto__=1'))]),
  ];
}

/** A query that asks the same so many times. */
export function repeatedQuery(count: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(count, 4);
  const question = Buffer.concat([name(SERVICE), Buffer.of(0, PTR, 0, 1)]);
  const again = Buffer.of(0xc0, 12, 0, PTR, 0, 1);
  return Buffer.concat([head, question, ...Array<Buffer>(count - 1).fill(again)]);
}
