/**
 * What a document's front matter says under keys that no field claims: a list or mapping
 * is text until somebody changes it as a field.
 */
import type { NodeId } from '../core/ids.js';
import type { Folded } from '../repo/past.js';
import type { FieldValue } from './field.js';
import { parseFrontMatter } from './frontmatter.js';

/** Those of `keys` that the text has; whether they are fields by now is the caller's business. */
export function valuesInText(
  { view }: Folded,
  node: NodeId,
  keys: readonly string[],
): ReadonlyMap<string, FieldValue> {
  const values = new Map<string, FieldValue>();
  const matter = keys.length === 0 ? null : parseFrontMatter(view.text(node));
  if (matter === null || !matter.ok) return values;
  for (const { key, value } of matter.entries) {
    if (value !== undefined && keys.includes(key)) values.set(key, value);
  }
  return values;
}
