/**
 * What a worknode's file holds, as text where it is text: for showing, comparing and
 * searching. Leaves out writing it (`project.ts` gives the very bytes for that).
 */
import { utf8 } from '../core/bytes.js';
import type { NodeId } from '../core/ids.js';
import type { Folded } from '../repo/past.js';
import { decodeText, encodeText, type TextForm } from './eol.js';
import type { FieldShown } from './field.js';
import { parseFrontMatter } from './frontmatter.js';
import { supportsFields } from './overlay.js';
import { fieldsShown, fileHash, formOf, project } from './project.js';

export interface FileContent {
  /** With fields laid over it and line ends as LF; null for what isn't text. */
  readonly text: string | null;
  /** Of text. */
  readonly form: TextForm;
  readonly size: number;
  /** Tagged hash of the bytes. */
  readonly hash: string;
  /** Part of it isn't here: there is no text, though it may be one. */
  readonly missing: boolean;
  /** A text document, which text and fields were read from; null for other contents. */
  readonly document: Document | null;
}

export interface Document {
  readonly text: string;
  readonly fields: ReadonlyMap<string, FieldShown>;
}

const PLAIN: TextForm = { eol: 'lf', bom: false };

/** The file of a worknode at a path; null for a folder. */
export function fileOf(folded: Folded, node: NodeId, path: string): FileContent | null {
  const content = folded.view.content(node);
  switch (content.kind) {
    case 'folder':
      return null;
    case 'link':
      return ofText(content.target, PLAIN, null);
    case 'bytes':
      return fileOfBytes(content.bytes);
    case 'blob': {
      const bytes = folded.view.blob(content.ref);
      const { size, hash } = content.ref;
      return bytes === null
        ? { text: null, form: PLAIN, size, hash, missing: true, document: null }
        : fileOfBytes(bytes);
    }
    case 'text': {
      const document = { text: content.text, fields: fieldsShown(folded, node) };
      const { text } = project(document.text, path, document.fields);
      return ofText(text, formOf(folded, node), document);
    }
  }
}

/** A file as it is on disk. */
export function fileOfBytes(bytes: Uint8Array): FileContent {
  const decoded = decodeText(bytes);
  const whole = { size: bytes.byteLength, hash: fileHash(bytes), missing: false, document: null };
  if (!decoded.ok) return { ...whole, text: null, form: PLAIN };
  return { ...whole, text: decoded.text, form: { eol: decoded.eol, bom: decoded.bom } };
}

export function fileOfLink(target: string): FileContent {
  return ofText(target, PLAIN, null);
}

function ofText(text: string, form: TextForm, document: Document | null): FileContent {
  const bytes = form.eol === 'lf' && !form.bom ? utf8(text) : encodeText(text, form);
  const { byteLength: size } = bytes;
  return { text, form, size, hash: fileHash(bytes), missing: false, document };
}

/** The text below the front matter. */
export function bodyText(path: string, text: string): string {
  if (!supportsFields(path)) return text;
  const matter = parseFrontMatter(text);
  return matter.ok && matter.block !== null ? text.slice(matter.block.bodyStart) : text;
}
