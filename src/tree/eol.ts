/**
 * Bytes of a text file and the text that stands for them: UTF-8, the byte order mark and
 * uniform CRLF taken off and remembered, so that devices with different editors merge
 * the same characters. `encodeText(decodeText(bytes))` gives the very bytes. Leaves out
 * which files are text at all (see `content.ts`).
 */
import { TEXT_BYTES_MAX } from '../core/limits.js';

/**
 * `lf`: the text holds no CR. `crlf`: every line ended in CR LF, and ends in LF in the
 * text. `raw`: mixed, or a CR of its own: the text is as the file is.
 */
export type Eol = 'lf' | 'crlf' | 'raw';

export interface TextForm {
  readonly eol: Eol;
  readonly bom: boolean;
}

export type Decoded =
  | ({ readonly ok: true; readonly text: string } & TextForm)
  | { readonly ok: false; readonly why: 'invalid-utf8' | 'binary' | 'too-large' };

const BOM = '\ufeff';
const LONE_CR = /\r(?!\n)/;
const BARE_LF = /(?<!\r)\n/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function decodeText(bytes: Uint8Array): Decoded {
  if (bytes.byteLength > TEXT_BYTES_MAX) return { ok: false, why: 'too-large' };
  if (bytes.includes(0)) return { ok: false, why: 'binary' };
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return { ok: false, why: 'invalid-utf8' };
  }
  const bom = text.startsWith(BOM);
  if (bom) text = text.slice(BOM.length);
  if (!text.includes('\r')) return { ok: true, text, eol: 'lf', bom };
  if (LONE_CR.test(text) || BARE_LF.test(text)) return { ok: true, text, eol: 'raw', bom };
  return { ok: true, text: text.replaceAll('\r\n', '\n'), eol: 'crlf', bom };
}

/**
 * Bytes of a file. Where a merge joined text of a mixed file to the form `crlf`, a CR LF
 * that is in the text already stays one.
 */
export function encodeText(text: string, form: TextForm): Uint8Array {
  const lines = form.eol === 'crlf' ? text.replace(/\r?\n/g, '\r\n') : text;
  return Buffer.from(form.bom ? BOM + lines : lines, 'utf8');
}
