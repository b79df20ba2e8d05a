/**
 * Where a repository is: found upwards from the working directory. Its data stands in
 * `.wn` beside the files, or, in a Git work tree, in `<git-dir>/wn`, where `git clean`
 * can't take it; there a file `root` names the folder that is tracked.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { WnError } from '../core/errors.js';

export interface Location {
  /** The tracked folder, absolute. */
  readonly root: string;
  /** The repository's data, absolute. */
  readonly data: string;
}

/** Throws `no_repository`. `WN_DIR` names the data folder instead of a search. */
export function findRepository(
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Location {
  const found = env['WN_DIR'] ? at(resolve(cwd, env['WN_DIR'])) : search(cwd);
  if (found !== null) return found;
  throw new WnError('no_repository', `no wn repository at or above ${cwd}`, {
    hint: 'make one here with: wn init, or take part in one with: wn join TICKET',
  });
}

/** The repository of exactly this folder; null if it is none. */
export function repositoryAt(folder: string): Location | null {
  if (existsSync(join(folder, '.wn'))) return { root: folder, data: join(folder, '.wn') };
  for (let top = folder; ; top = dirname(top)) {
    const git = gitFolder(top);
    if (git !== null) {
      const found = at(join(git, 'wn'));
      return found?.root === folder ? found : null;
    }
    if (dirname(top) === top) return null;
  }
}

function at(data: string): Location | null {
  if (!existsSync(data)) return null;
  const marker = join(data, 'root');
  if (!existsSync(marker)) return { root: dirname(data), data };
  return { root: resolve(data, readFileSync(marker, 'utf8').trimEnd()), data };
}

function search(cwd: string): Location | null {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.wn'))) return { root: folder, data: join(folder, '.wn') };
    const git = gitFolder(folder);
    const inGit = git === null ? null : at(join(git, 'wn'));
    if (inGit !== null && !relative(inGit.root, cwd).startsWith('..')) return inGit;
    if (dirname(folder) === folder) return null;
  }
}

/** The Git folder of a work tree whose top is `folder`; a worktree's own, where it has one. */
export function gitFolder(folder: string): string | null {
  const git = join(folder, '.git');
  const stat = statSync(git, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (stat.isDirectory()) return git;
  const target = /^gitdir: (.+)$/m.exec(readFileSync(git, 'utf8'))?.[1];
  return target === undefined ? null : resolve(folder, target);
}

/** The top of the Git work tree that a folder is in; null if it is in none. */
export function gitTop(folder: string): string | null {
  for (let top = folder; ; top = dirname(top)) {
    if (gitFolder(top) !== null) return top;
    if (dirname(top) === top) return null;
  }
}
