/**
 * What a Git user types out of habit and means something else here: the hint that an
 * unknown word or flag gets. Those that deserve an answer of their own are commands
 * (`habit.ts`).
 */

const WORDS: Readonly<Record<string, string>> = {
  blame: 'wn log PATH shows who changed it; wn show PATH the last who did',
  'cherry-pick': 'every commit is part of every copy: wn sync',
  ci: 'wn commit',
  clean: 'nothing removes files that wn does not track; wn status lists new ones',
  co: 'wn show PATH --at REV shows an earlier state',
  fetch: 'wn pull receives and merges',
  grep: 'wn list \'"text"\' looks into names and bodies',
  ls: 'wn list',
  'ls-files': 'wn list',
  reflog: 'wn log lists every commit; none is ever lost',
  reset: 'wn undo COMMIT makes a commit that takes another back; history stays as it is',
  restore: 'wn undo COMMIT takes a change back; wn show PATH --at REV shows an earlier state',
  revert: 'wn undo COMMIT makes a commit that takes another back',
  st: 'wn status',
  switch: 'wn has no branches: every copy of the workspace is one',
  tag: 'a commit id, or a time, names a state: wn show PATH --at REV',
  worktree: 'wn clone . ../copy makes another working copy',
};

const FLAGS: Readonly<Record<string, string>> = {
  'commit -a': 'wn commit takes every change by itself: wn commit -m MESSAGE',
  'commit --all': 'wn commit takes every change by itself: wn commit -m MESSAGE',
  'commit --amend': 'commit again, or take the last one back first: wn undo',
  'diff --cached': 'there is no staging area: wn diff shows what is not committed',
  'diff --staged': 'there is no staging area: wn diff shows what is not committed',
  'diff --name-only': 'wn status lists changed files; wn diff --json has them as data',
  'log --oneline': 'wn log prints one line for a commit already',
  'log -n': 'wn log --limit N',
  'log -p': 'wn show COMMIT shows what it changed',
  'pull --rebase': 'wn merges without rewriting history: wn pull',
  'push -u': 'wn push NAME; remotes need no tracking',
  'push --force': 'history is never rewritten, so nothing has to be forced: wn push',
  'rm --cached': 'put the name into .wnignore before it is committed; wn rm deletes the file',
  'status -s': 'wn status prints one line for a file already',
};

export function hintForWord(word: string): string | undefined {
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** `flag` as it was typed: `-am` is looked up as `-a`. */
export function hintForFlag(command: string, flag: string): string | undefined {
  const name = flag.startsWith('--') ? flag : flag.slice(0, 2);
  const habit = `${command} ${name}`;
  return Object.hasOwn(FLAGS, habit) ? FLAGS[habit] : undefined;
}

/** For what was taken for a path, or an id, and is a revision as Git spells it. */
export function hintForRevision(word: string): string | undefined {
  if (!/^(?:HEAD|@|[\w/]+~\d*$)/.test(word)) return undefined;
  return 'the newest state is @, that before three commits of this device @~3: wn diff --from @~3, wn show PATH --at @~3';
}
