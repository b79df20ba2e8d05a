/**
 * What the tree leaves out: `.gitignore` and `.wnignore`, nested as in Git, and our own
 * and Git's folders in any spelling. Matching is `ignore`'s.
 */
import ignoreRules, { type Ignore } from 'ignore';
import { IGNORE_PATTERN_CHARS_MAX, IGNORE_PATTERNS_MAX } from '../core/limits.js';
import { isOwnName } from './names.js';

interface Level {
  /** The folder whose files gave the rules; '' for the root. */
  readonly folder: string;
  readonly rules: Ignore;
}

export class IgnoreRules {
  private constructor(private readonly levels: readonly Level[]) {}

  static root(): IgnoreRules {
    return new IgnoreRules([]);
  }

  /** The rules inside a folder, given the text of its ignore files. */
  enter(folder: string, gitignore?: string, wnignore?: string): IgnoreRules {
    const patterns = [...patternsOf(gitignore), ...patternsOf(wnignore)];
    if (patterns.length === 0) return this;
    const rules = ignoreRules().add(patterns.slice(0, IGNORE_PATTERNS_MAX));
    return new IgnoreRules([...this.levels, { folder, rules }]);
  }

  /** The deepest folder with an opinion decides; parents were asked before. */
  ignores(path: string, isFolder: boolean): boolean {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (isOwnName(name) || name.startsWith('.wn-tmp-')) return true;
    for (let at = this.levels.length - 1; at >= 0; at--) {
      const level = this.levels[at];
      if (level === undefined) continue;
      const inside = level.folder === '' ? path : path.slice(level.folder.length + 1);
      const { ignored, unignored } = level.rules.test(isFolder ? `${inside}/` : inside);
      if (ignored) return true;
      if (unignored) return false;
    }
    return false;
  }
}

/** Patterns of an ignore file. Overlong ones are no patterns that a person wrote. */
function patternsOf(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#') && line.length <= IGNORE_PATTERN_CHARS_MAX);
}
