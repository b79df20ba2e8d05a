/**
 * Whether what was last on disk is what the view shows. Doesn't look at the disk.
 */
import { utf8 } from '../core/bytes.js';
import type { NodeId } from '../core/ids.js';
import { ATTRIBUTE } from '../core/op.js';
import { sameHeads } from '../crdt/text/op.js';
import type { Value } from '../crdt/value.js';
import { decodeBlobRef } from '../repo/blobs.js';
import type { Replica } from '../repo/replica.js';
import { unpackBase, type Base, type TreeEntry } from './entry.js';
import { equalFields } from './field.js';
import { currentBase, fileHash, headsOf, shownAs } from './project.js';

/** Does the entry say what its worknode shows as? Where it shows is another matter. */
export function isInStep(replica: Replica, known: TreeEntry): boolean {
  if (known.type === 'folder') return true;
  const { view } = replica;
  const body = view.attribute(known.node, ATTRIBUTE.body);
  if (known.type === 'symlink') return bodyHash(body) === known.hash;
  const executable = view.attribute(known.node, ATTRIBUTE.executable) === true;
  if (known.stamp === null || known.stamp.executable !== executable) return false;
  const isText = view.attribute(known.node, ATTRIBUTE.format) !== 'whole' || body === undefined;
  if (!isText) return known.base === null && bodyHash(body) === known.hash;
  if (known.base === null) return false;
  const base = unpackBase(known.base);
  if (!sameBase(base, replica, known.node)) return false;
  return (base.exact && currentBase(replica, known.node).exact) || showsSame(replica, known);
}

/** Renders: dear, but certain. */
function showsSame(replica: Replica, { node, path, hash }: TreeEntry): boolean {
  const shown = shownAs(replica, node, path);
  return shown?.type === 'file' && shown.hash === hash;
}

function sameBase(base: Base, replica: Replica, node: NodeId): boolean {
  if (!sameHeads(base.heads, headsOf(replica, node))) return false;
  const now = currentBase(replica, node);
  if (base.form.eol !== now.form.eol || base.form.bom !== now.form.bom) return false;
  if (base.fields.size !== now.fields.size) return false;
  return [...now.fields].every(([name, field]) => {
    const was = base.fields.get(name);
    if (was === undefined || was === 'unset' || field === 'unset') return was === field;
    return equalFields(was, field);
  });
}

/** Tagged hash of the file that a body register's value stands for. */
export function bodyHash(value: Value | undefined): string | null {
  if (value instanceof Uint8Array) return fileHash(value);
  if (typeof value === 'string') return fileHash(utf8(value));
  return value === undefined ? null : (decodeBlobRef(value)?.hash ?? null);
}
