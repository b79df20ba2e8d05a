/**
 * The recovery key's file: text that a person can keep, print and type in again. It
 * holds the seed of the key that genesis names; its capability is `recoveryCap`. Leaves
 * out where the file is kept and how it is protected.
 */
import { concat, fromBase32, fromHex, toBase32, toHex, utf8 } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { crc32c } from '../core/frame.js';
import { showId, type WorkspaceId } from '../core/ids.js';
import { RECOVERY_FILE_CHARS_MAX } from '../core/limits.js';

export interface RecoveryKey {
  readonly ws: WorkspaceId;
  readonly name: string;
  /** 32 bytes. */
  readonly seed: Uint8Array;
}

const FIRST_LINE = 'wn-recovery-key-1';
const SAFE = 'Nothing was changed.';
const RETYPE = 'compare it with the original, letter by letter';

/** The text of the file. */
export function encodeRecoveryKey({ ws, name, seed }: RecoveryKey): string {
  const key = toBase32(concat([seed, checksum(ws, seed)]));
  return [
    FIRST_LINE,
    'Whoever has this key controls the workspace below, and can take it back when its devices are',
    'lost or stolen (wn recover --key FILE). Keep it offline and outside the workspace; show it to',
    'nobody.',
    '',
    `name: ${JSON.stringify(name)}`,
    `workspace: ${showId(ws)}`,
    `key: ${key.match(/.{1,6}/g)?.join('-') ?? ''}`,
    '',
  ].join('\n');
}

/**
 * Reads the file's text, or one typed from paper: case, spaces, dashes and the letters
 * that look like digits don't matter in ids and key. Throws `invalid`, `unknown_format`.
 */
export function parseRecoveryKey(text: string): RecoveryKey {
  if (text.length > RECOVERY_FILE_CHARS_MAX) throw notAKey();
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const first = lines[0]?.trim() ?? '';
  if (first !== FIRST_LINE) {
    if (!/^wn-recovery-key-\d+$/.test(first)) throw notAKey();
    throw new WnError('unknown_format', `The recovery key was written by a newer wn. ${SAFE}`, {
      hint: 'update wn, then try again',
    });
  }
  const ws = base32Field(lines, 'workspace', 32);
  const secret = base32Field(lines, 'key', 36);
  const seed = secret.subarray(0, 32);
  const workspace = toHex(ws);
  if (Buffer.compare(checksum(workspace, seed), secret.subarray(32)) !== 0) {
    throw new WnError('invalid', `The recovery key or its workspace id is mistyped. ${SAFE}`, {
      hint: RETYPE,
    });
  }
  return { ws: workspace, name: nameField(lines), seed };
}

function notAKey(): WnError {
  return new WnError('invalid', `This is not a recovery key. ${SAFE}`, {
    hint: `its first line is ${FIRST_LINE}`,
  });
}

/** Covers the workspace too: a key under another's id is a mix-up. */
function checksum(ws: WorkspaceId, seed: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32c(concat([utf8(FIRST_LINE), fromHex(ws), seed])));
  return bytes;
}

function field(lines: readonly string[], name: string): string {
  const line = lines.find((one) => one.startsWith(`${name}:`));
  if (line !== undefined) return line.slice(name.length + 1).trim();
  throw new WnError('invalid', `The recovery key has no line "${name}: …". ${SAFE}`, {
    hint: 'copy the whole file',
  });
}

function base32Field(lines: readonly string[], name: string, length: number): Uint8Array {
  const typed = field(lines, name).toLowerCase().replace(/[\s-]/g, '');
  const text = typed.replaceAll('o', '0').replace(/[il]/g, '1');
  let bytes: Uint8Array | null = null;
  try {
    bytes = fromBase32(text);
  } catch (error) {
    if (!(error instanceof WnError)) throw error;
  }
  if (bytes?.byteLength === length) return bytes;
  const chars = Math.ceil((length * 8) / 5);
  throw new WnError(
    'invalid',
    text.length < chars
      ? `The line "${name}:" of the recovery key is cut short. ${SAFE}`
      : `The line "${name}:" of the recovery key is mistyped. ${SAFE}`,
    { hint: RETYPE },
  );
}

/** The name is for people; a hand-edited one is taken as it stands. */
function nameField(lines: readonly string[]): string {
  const text = field(lines, 'name');
  try {
    const name: unknown = JSON.parse(text);
    return typeof name === 'string' ? name : text;
  } catch {
    return text;
  }
}
