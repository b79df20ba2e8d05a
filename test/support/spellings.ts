/** The spellings in which a secret might stand in a recording: as it is, hex, base32, base64. */
import { toBase32 } from '../../src/core/bytes.js';

/** Raw bytes, and texts in either case where case doesn't matter. */
export function spellings(secret: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(secret);
  const texts = [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    toBase32(bytes),
    toBase32(bytes).toUpperCase(),
    rfc4648(bytes),
    rfc4648(bytes).toLowerCase(),
    ...[0, 1, 2].flatMap((shift) => inBase64(bytes, shift)),
  ];
  return [bytes, ...texts.filter((text) => text.length >= 6).map((text) => Buffer.from(text))];
}

/** What a secret is in base64 wherever it begins among other bytes: its inner characters. */
function inBase64(bytes: Buffer, shift: number): readonly string[] {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
  const from = shift === 0 ? 0 : shift + 1;
  const to = Math.floor((whole.byteLength * 8) / 6);
  return (['base64', 'base64url'] as const).map((as) => whole.toString(as).slice(from, to));
}

/** Base32 of RFC 4648, without padding. */
function rfc4648(bytes: Buffer): string {
  const [ours, theirs] = ['0123456789abcdefghjkmnpqrstvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'];
  return [...toBase32(bytes)].map((char) => theirs[ours.indexOf(char)] ?? '').join('');
}
