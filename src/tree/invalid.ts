/**
 * What was typed and can't be understood, or isn't what `wn.yaml` allows: front matter that
 * doesn't parse (its text is committed, the fields stay as they were), values outside the
 * schema, and a broken `wn.yaml` (which declares nothing). It is told, and stops nothing.
 * Leaves out transitions: they guide `wn set`, which knows what was before.
 */
import { WnError } from '../core/errors.js';
import type { WorkDir } from '../core/ports.js';
import { decodeText } from './eol.js';
import { refusal } from './fieldspec.js';
import { parseFrontMatter } from './frontmatter.js';
import { supportsFields } from './overlay.js';
import type { Schema } from './schema.js';
import { flowText } from './yaml-text.js';

export interface Invalid {
  readonly path: string;
  readonly code: 'invalid-fields' | 'invalid-schema';
  readonly why: string;
}

/** The files among `paths` whose fields can't be read or aren't allowed. */
export function invalidFields(
  dir: WorkDir,
  paths: Iterable<string>,
  schema: Schema,
): readonly Invalid[] {
  const found: Invalid[] = [];
  for (const path of paths) {
    const bytes = supportsFields(path) ? dir.read(path) : null;
    const why = bytes === null ? null : whyInvalid(path, bytes, schema);
    if (why !== null) found.push({ path, code: 'invalid-fields', why });
  }
  return found;
}

/** What is wrong with the fields of a file that holds `bytes`; null for one without fields, too. */
export function whyInvalid(path: string, bytes: Uint8Array, schema: Schema): string | null {
  const decoded = supportsFields(path) ? decodeText(bytes) : null;
  return decoded?.ok === true ? whyTextInvalid(path, decoded.text, schema) : null;
}

/** The same of its text. */
export function whyTextInvalid(path: string, text: string, schema: Schema): string | null {
  if (!supportsFields(path)) return null;
  const matter = parseFrontMatter(text);
  if (!matter.ok) return `line ${matter.line}: ${matter.why}`;
  const specs = matter.entries.length === 0 ? undefined : schema.typeOf(path)?.fields;
  if (specs === undefined) return null;
  for (const { key, value } of matter.entries) {
    const spec = specs.get(key);
    const allowed = spec === undefined || value === undefined ? null : refusal(spec, value);
    if (allowed !== null) return `${key} is ${flowText(value ?? null)}; wn.yaml allows ${allowed}`;
  }
  return null;
}

/** Calls `read`, which throws `invalid` for a schema that can't be read. */
export function invalidSchema(path: string, read: () => unknown): readonly Invalid[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof WnError) || error.code !== 'invalid') throw error;
    return [{ path, code: 'invalid-schema', why: error.message }];
  }
}
