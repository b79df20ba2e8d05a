/** The parts of the manual that no command class holds: exit codes, environment, revisions. */

export const TAGLINE = 'keeps a folder of plain files in step across machines';

export const INTRODUCTION = [
  'wn records what changes in a folder as signed operations, exchanges them with other devices ' +
    'directly or over any machine you can reach, and merges them without a server.',
  'The repository is found upwards from the working directory. Paths are relative to where you ' +
    'stand. Results go to standard output, notices and progress to standard error.',
];

export const JSON_CONTRACT = [
  'With --json every command prints exactly one JSON document on standard output: ' +
    '{"ok":true,"result":…} or {"ok":false,"error":{"code","message","hint"?}}, also for usage ' +
    'errors. An error that comes with a result (some remotes failed, damage was found) has the ' +
    'result beside it. Streams print one such document a line. Lists are {items, total, next}.',
];

export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done'],
  [1, 'failed'],
  [2, 'usage: a bad flag, argument or command'],
  [3, 'partly: some remotes or paths failed'],
  [4, 'condition not met: nothing ready, time-out of a wait, lag or conflict asked to fail on'],
  [10, 'no repository here'],
  [11, 'busy: a lock was not free in time'],
  [12, 'denied: no capability for it'],
  [13, 'no quorum, or the outcome is unknown'],
  [14, 'conflict: a strong precondition failed, a claim was lost or fenced'],
  [15, 'a peer is unreachable or refused'],
  [16, 'damage found'],
  [130, 'interrupted'],
];

export const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['WN_HOME', "The device's keys and settings; $XDG_CONFIG_HOME/wn if unset."],
  ['WN_DIR', 'The repository, instead of looking upwards for it.'],
  ['WN_SSH_COMMAND', 'The program that reaches ssh:// remotes, split like a shell would.'],
  ['WN_TOKEN', 'The fencing token of a claim, instead of --token.'],
  ['WN_PASSPHRASE_FILE', 'The file that holds the passphrase of a key.'],
  ['WN_PAGER, PAGER', 'Shows long text on a terminal; less -FRX if both are unset.'],
  ['WN_LOG', 'debug prints what happens, and the stack of an internal error.'],
  ['NO_COLOR', 'Anything but the empty string turns colours off.'],
  ['CI', 'true: nothing is ever asked.'],
];

export const REVISIONS =
  'A REV is a prefix of a commit id, @ (now), @~3 (three own commits back), a stamp, or a time ' +
  '(2026-11-20T10:00Z, "2h ago"). A DURATION is 500ms, 5s, 15m, 8h or 7d.';
