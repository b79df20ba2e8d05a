/**
 * What the tree leaves out: `.gitignore` and `.wnignore`, nested as in Git, and our own
 * and Git's folders in any spelling. Leaves out what is tracked already: the scan asks
 * only for what is new.
 */
import { IGNORE_PATTERNS_MAX } from '../core/limits.js';
import { baseName, isOwnName } from './names.js';
import { compilePatterns, isBounded, type Patterns } from './patterns.js';

/** Files that are being written, and are renamed when they are whole. */
const TEMPORARY_PREFIX = '.wn-tmp-';

interface Level {
  /** The folder whose files gave the rules; '' for the root. */
  readonly folder: string;
  readonly patterns: Patterns;
}

export interface IgnoreOptions {
  /** As the file system treats names. */
  readonly caseInsensitive?: boolean;
  /** Told of each pattern that would take too long, and so isn't applied. */
  readonly onSkipped?: (folder: string, pattern: string) => void;
}

/** The rules that hold in one folder. Immutable: `enter` gives those of a folder in it. */
export class IgnoreRules {
  private constructor(
    private readonly levels: readonly Level[],
    private readonly options: IgnoreOptions,
  ) {}

  /** No rules yet: the root's own come with `enter('', …)`. */
  static root(options: IgnoreOptions = {}): IgnoreRules {
    return new IgnoreRules([], options);
  }

  /** The rules inside a folder, given the text of its ignore files. */
  enter(folder: string, gitignore?: string, wnignore?: string): IgnoreRules {
    const lines = [...linesOf(gitignore), ...linesOf(wnignore)];
    const bounded = lines.filter(isBounded).slice(0, IGNORE_PATTERNS_MAX);
    if (this.options.onSkipped !== undefined && bounded.length < lines.length) {
      const applied = new Set(bounded);
      for (const line of lines) if (!applied.has(line)) this.options.onSkipped(folder, line);
    }
    if (bounded.length === 0) return this;
    const level = { folder, patterns: compilePatterns(bounded, this.options) };
    return new IgnoreRules([...this.levels, level], this.options);
  }

  /**
   * Whether something new at `path` is left out. The deepest folder with an opinion
   * decides. Asked of a walk that asked for each parent first: what is in an ignored
   * folder can't be brought back.
   */
  ignores(path: string, isFolder: boolean): boolean {
    const name = baseName(path);
    if (isOwnName(name) || name.startsWith(TEMPORARY_PREFIX)) return true;
    for (let at = this.levels.length - 1; at >= 0; at--) {
      const { folder, patterns } = this.levels[at] as Level;
      const inside = folder === '' ? path : path.slice(folder.length + 1);
      const matched = patterns.match(inside, isFolder);
      if (matched !== null) return matched;
    }
    return false;
  }
}

/** Lines that hold a pattern; a byte order mark and CRs go, as Git does it. */
function linesOf(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
