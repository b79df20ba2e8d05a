/**
 * What was typed and can't be understood: front matter that doesn't parse (its text is
 * committed, the fields stay as they were) and a broken `wn.yaml` (which declares nothing).
 * Leaves out values that a schema doesn't allow.
 */
import { WnError } from '../core/errors.js';
import type { WorkDir } from '../core/ports.js';
import { decodeText } from './eol.js';
import { parseFrontMatter } from './frontmatter.js';
import { supportsFields } from './overlay.js';

export interface Invalid {
  readonly path: string;
  readonly code: 'invalid-fields' | 'invalid-schema';
  readonly why: string;
}

/** The files among `paths` whose front matter doesn't parse. */
export function invalidFields(dir: WorkDir, paths: Iterable<string>): readonly Invalid[] {
  const found: Invalid[] = [];
  for (const path of paths) {
    const bytes = supportsFields(path) ? dir.read(path) : null;
    const decoded = bytes === null ? null : decodeText(bytes);
    if (decoded?.ok !== true) continue;
    const matter = parseFrontMatter(decoded.text);
    if (matter.ok) continue;
    found.push({ path, code: 'invalid-fields', why: `line ${matter.line}: ${matter.why}` });
  }
  return found;
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
