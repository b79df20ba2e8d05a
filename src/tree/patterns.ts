/**
 * Patterns of `.gitignore` kind, matched by the `ignore` library within bounds: what
 * they are matched against and who wrote them is anybody's. Leaves out files and folders
 * (`ignore.ts`) and types (`schema.ts`).
 */
import ignore, { type Ignore } from 'ignore';
import {
  IGNORE_CACHED_PATHS_MAX,
  IGNORE_GLOBSTARS_MAX,
  IGNORE_PATTERN_CHARS_MAX,
} from '../core/limits.js';

export interface Patterns {
  /** Of the last pattern that matches: true, or false if it is negated; null if none does. */
  match(path: string, isFolder: boolean): boolean | null;
}

/** `lines` in the order of the file; those that `isBounded` refuses must be left out. */
export function compilePatterns(
  lines: readonly string[],
  { caseInsensitive = false }: { readonly caseInsensitive?: boolean } = {},
): Patterns {
  const options = { ignorecase: caseInsensitive };
  let rules: Ignore = ignore(options).add(lines);
  let cached = 0;
  return {
    match(path, isFolder) {
      // The library remembers every path for ever; compiled patterns are carried over.
      if (cached++ === IGNORE_CACHED_PATHS_MAX) {
        rules = ignore(options).add(rules);
        cached = 0;
      }
      const { ignored, unignored } = rules.test(isFolder ? `${path}/` : path);
      return ignored ? true : unignored ? false : null;
    },
  };
}

/**
 * Whether a pattern is matched in reasonable time. Each double star between slashes tries
 * every depth in turn: five of them took 15 s for one path 64 folders deep.
 */
export function isBounded(pattern: string): boolean {
  if (pattern.length > IGNORE_PATTERN_CHARS_MAX) return false;
  const inner = pattern.split('/').slice(1, -1);
  const globstars = inner.filter(
    (part, index) => isGlobstar(part) && !isGlobstar(inner[index - 1]),
  );
  return globstars.length <= IGNORE_GLOBSTARS_MAX;
}

function isGlobstar(part: string | undefined): boolean {
  return part !== undefined && /^\*{2,}$/.test(part);
}
