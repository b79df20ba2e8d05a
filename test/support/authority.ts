/**
 * A certificate authority for tests: X.509 v3 certificates (RFC 5280) with P-256 keys, put
 * together here because Node.js can read certificates but not make them. Knows the few
 * fields that a TLS client looks at.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

const DAY_MS = 86_400_000;

/** PEM, both. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Wish {
  /** DNS names and IPv4 addresses. */
  readonly names: readonly string[];
  /** From when and until when it is good, milliseconds from now. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export class Authority {
  private readonly pair = newPair();
  /** Its own certificate, PEM. */
  readonly cert: string;

  constructor(private readonly name = 'wn test authority') {
    const wish = { names: [], toMs: 365 * DAY_MS };
    this.cert = certificate(this.pair, this.name, this.pair.privateKey, this.name, wish);
  }

  issue(wish: Wish): Certificate {
    const pair = newPair();
    const cert = certificate(pair, 'wn test', this.pair.privateKey, this.name, wish);
    return { cert, key: pemKey(pair) };
  }
}

export function selfSigned(wish: Wish): Certificate {
  const pair = newPair();
  return {
    cert: certificate(pair, 'wn test', pair.privateKey, 'wn test', wish),
    key: pemKey(pair),
  };
}

const newPair = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const pemKey = ({ privateKey }: Pair): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

const [INTEGER, BITS, OCTETS, OID, UTF8, TIME, SEQUENCE, SET] = [
  0x02, 0x03, 0x04, 0x06, 0x0c, 0x18, 0x30, 0x31,
];
const ECDSA_SHA256 = der(SEQUENCE, oid('2a8648ce3d040302'));

/** An authority's own has no names. */
function certificate(
  { publicKey }: Pair,
  subject: string,
  issuerKey: KeyObject,
  issuer: string,
  { names, fromMs = -DAY_MS, toMs = DAY_MS }: Wish,
): string {
  const extensions =
    names.length === 0
      ? [extension('551d13', true, der(SEQUENCE, der(0x01, Buffer.of(0xff))))]
      : [extension('551d11', false, der(SEQUENCE, ...names.map(generalName)))];
  const toBeSigned = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_SHA256,
    distinguished(issuer),
    der(SEQUENCE, time(Date.now() + fromMs), time(Date.now() + toMs)),
    distinguished(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...extensions)),
  );
  const signature = sign('sha256', toBeSigned, issuerKey);
  const whole = der(SEQUENCE, toBeSigned, ECDSA_SHA256, der(BITS, Buffer.of(0), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const mark = critical ? [der(0x01, Buffer.of(0xff))] : [];
  return der(SEQUENCE, oid(id), ...mark, der(OCTETS, value));
}

const generalName = (name: string): Buffer =>
  isIP(name) === 4
    ? der(0x87, Buffer.from(name.split('.').map(Number)))
    : der(0x82, Buffer.from(name));

const distinguished = (name: string): Buffer =>
  der(SEQUENCE, der(SET, der(SEQUENCE, oid('550403'), der(UTF8, Buffer.from(name)))));

const time = (ms: number): Buffer =>
  der(TIME, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')));

function oid(hex: string): Buffer {
  return der(OID, Buffer.from(hex, 'hex'));
}

/** Tag, length, contents (ITU-T X.690). */
function der(tag: number | undefined, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.byteLength;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.of(tag ?? 0, ...length), body]);
}
