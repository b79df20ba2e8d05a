/**
 * What a worknode's file holds: its document with the fields laid over it, in the line
 * ends it came with; or its bytes. The way back is `readback`.
 */
import { utf8 } from '../core/bytes.js';
import { hashHex } from '../core/crypto.js';
import { assert } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import { ATTRIBUTE } from '../core/op.js';
import type { Head } from '../crdt/text/op.js';
import type { Folded } from '../repo/past.js';
import { packBase, type Base } from './entry.js';
import { encodeText, type Eol, type TextForm } from './eol.js';
import { fromValue, type Field, type FieldShown } from './field.js';
import { render, supportsFields, type Projection } from './overlay.js';

export type Shown =
  | { readonly type: 'folder' }
  | { readonly type: 'symlink'; readonly target: string; readonly hash: string }
  | ShownFile;

export interface ShownFile {
  readonly type: 'file';
  /** Its bytes, which may be large: read when they are needed. Throws `damage`. */
  readonly read: () => Uint8Array;
  /** The same for writing, of which no more than a piece is in memory. */
  readonly pieces: () => Iterable<Uint8Array>;
  readonly executable: boolean;
  readonly hash: string;
  /** Packed; null for what isn't a text document. */
  readonly base: Uint8Array | null;
}

/** How a worknode shows at a path; null while part of its content isn't here. */
export function shownAs(replica: Folded, node: NodeId, path: string): Shown | null {
  const { view } = replica;
  const content = view.content(node);
  switch (content.kind) {
    case 'folder':
      return { type: 'folder' };
    case 'link':
      return { type: 'symlink', target: content.target, hash: fileHash(utf8(content.target)) };
    case 'text': {
      const base = currentBase(replica, node);
      const { text } = project(content.text, path, base.fields);
      const bytes = encodeText(text, base.form);
      return file(replica, node, fileHash(bytes), () => bytes, packBase(base));
    }
    case 'bytes':
      return file(replica, node, fileHash(content.bytes), () => content.bytes, null);
    case 'blob': {
      const { ref } = content;
      const read = (): Uint8Array => {
        const bytes = view.blob(ref);
        assert(bytes !== null, 'a blob that was here when it was looked for');
        return bytes;
      };
      const pieces = (): Iterable<Uint8Array> => view.blobPieces(ref);
      return view.holdsBlob(ref) ? file(replica, node, ref.hash, read, null, pieces) : null;
    }
  }
}

function file(
  { view }: Folded,
  node: NodeId,
  hash: string,
  read: () => Uint8Array,
  base: Uint8Array | null,
  pieces: () => Iterable<Uint8Array> = () => [read()],
): Shown {
  const executable = view.attribute(node, ATTRIBUTE.executable) === true;
  return { type: 'file', read, pieces, executable, hash, base };
}

export function fileHash(bytes: Uint8Array): string {
  return hashHex('wn/file/1', bytes);
}

/** The document's text as the file at `path` shows it. */
export function project(
  docText: string,
  path: string,
  fields: ReadonlyMap<string, FieldShown>,
): Projection {
  return supportsFields(path) ? render(docText, fields) : { text: docText, segments: [], fields };
}

/** The version of a document that is current. */
export function currentBase(replica: Folded, node: NodeId): Base {
  return {
    heads: headsOf(replica, node),
    fields: fieldsShown(replica, node),
    form: formOf(replica, node),
    exact: replica.view.record(node).document?.whiteout !== true,
  };
}

export function headsOf(replica: Folded, node: NodeId): readonly Head[] {
  return replica.view.record(node).document?.heads ?? [];
}

/** The document's text at a base. A body that the strong log set has one version, the present. */
export function textAt(replica: Folded, node: NodeId, heads: readonly Head[]): string {
  const strong = replica.view.strongText(node);
  if (strong !== null) return strong;
  return replica.fold.documents.textAt(node, replica.view.record(node).document, heads);
}

/** Every field of a worknode that was ever written, by name; nested ones don't show in files. */
export function fieldsShown(replica: Folded, node: NodeId): ReadonlyMap<string, FieldShown> {
  const shown = new Map<string, FieldShown>();
  for (const [name, { path, type, value }] of replica.view.fields(node)) {
    if (path.length > 1) continue;
    const field = { crdt: type.name, value: value === undefined ? null : fromValue(value) };
    shown.set(name, value === undefined ? 'unset' : (field as Field));
  }
  return shown;
}

/** Line ends and byte order mark of a worknode's file. */
export function formOf(replica: Folded, node: NodeId): TextForm {
  const eol = replica.view.attribute(node, ATTRIBUTE.eol);
  return {
    eol: eol === 'crlf' || eol === 'raw' ? (eol satisfies Eol) : 'lf',
    bom: replica.view.attribute(node, ATTRIBUTE.bom) === true,
  };
}
