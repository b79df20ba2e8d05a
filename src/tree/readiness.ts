/**
 * What makes a task ready or blocked: conventions on the fields `status` and
 * `blocked_by`, which `wn list ready` and `wn claim --next ready` follow.
 *
 *  - Done: its status is `done`, or the last of the values that `wn.yaml` declares.
 *  - Blocked: something that `blocked_by` names is not done. A name is a path from the
 *    top or beside the task, or a worknode's id; one that leads nowhere is not done.
 *  - Ready: not blocked, and its status is the first of the declared values, or `todo`
 *    where none are declared. Without a status nothing is a task.
 */
import { parseId, type NodeId } from '../core/ids.js';
import { WnError } from '../core/errors.js';
import type { View } from '../repo/view.js';
import { fromValue, isList, type FieldValue } from './field.js';
import { joinPath, parentPath } from './names.js';
import type { Schema } from './schema.js';

const STATUS = 'status';
const BLOCKED_BY = 'blocked_by';
const ID = /^[0-9a-hjkmnp-tv-z]{26}$/;

export function isReady(view: View, schema: Schema, node: NodeId, path: string): boolean {
  const status = fieldValue(view, node, STATUS);
  if (status === null || isBlocked(view, schema, node, path)) return false;
  return status === (statuses(schema, path)[0] ?? 'todo');
}

export function isBlocked(view: View, schema: Schema, node: NodeId, path: string): boolean {
  const names = fieldValue(view, node, BLOCKED_BY);
  const list = names === null ? [] : isList(names) ? names : [names];
  // A reference that is no text can't be met, so it blocks.
  return list.some(
    (name) => typeof name !== 'string' || !isDone(view, schema, name, parentPath(path)),
  );
}

function isDone(view: View, schema: Schema, name: string, folder: string): boolean {
  const entry = view.entry(name) ?? view.entry(joinPath(folder, name)) ?? byId(view, name);
  if (entry === null) return false;
  const status = fieldValue(view, entry.node, STATUS);
  return status === 'done' || (status !== null && status === statuses(schema, entry.path).at(-1));
}

function byId(view: View, name: string): ReturnType<View['entryOf']> {
  if (!ID.test(name)) return null;
  try {
    return view.entryOf(parseId(name));
  } catch (error) {
    if (error instanceof WnError) return null; // the look of an id, but none
    throw error;
  }
}

function statuses(schema: Schema, path: string): readonly FieldValue[] {
  return schema.fieldOf(path, null, STATUS)?.values ?? [];
}

function fieldValue(view: View, node: NodeId, name: string): FieldValue {
  const value = view.fields(node).get(name)?.value;
  return value === undefined ? null : fromValue(value);
}
