/**
 * Finds the command on a line: global flags may come before its name (`wn -C dir status`),
 * and its name may be one word or two. It doesn't parse what belongs to the command.
 */
import { WnError } from '../core/errors.js';
import { COMMANDS } from './commandTable.js';
import { hintForWord } from './habits.js';
import { nearest } from './suggest.js';

export interface Located {
  /** A key of the table; undefined if the line names no command. */
  readonly id: string | undefined;
  /** Leading flags and what follows the name, for the command's own parser. */
  readonly argv: readonly string[];
}

const LEADING_WITH_VALUE = new Set(['-C', '--directory', '--lock-timeout']);
const LEADING = new Set(['--json', '-q', '--quiet', '--no-color', '-h', '--help', '--version']);

/** Whether a flag stands on the line, before any `--`. */
export function hasFlag(argv: readonly string[], ...names: readonly string[]): boolean {
  for (const token of argv) {
    if (token === '--') return false;
    if (token.startsWith('-') && names.includes(token)) return true;
  }
  return false;
}

/** Throws `usage` for an unknown command or leading flag. */
export function locate(argv: readonly string[]): Located {
  const start = argv[0]?.startsWith('-') === true ? countLeading(argv) : 0;
  const first = argv[start];
  if (first === undefined) return { id: undefined, argv };
  const second = argv[start + 1];
  const id = commandId(first, second);
  if (id === undefined) {
    if (TOPICS.has(first) && hasFlag(argv, '--help', '-h')) return { id: 'help', argv: [first] };
    throw unknownCommand(first, second);
  }
  const rest = argv.slice(start + (id === first ? 1 : 2));
  return { id, argv: start === 0 ? rest : [...argv.slice(0, start), ...rest] };
}

/** First words that others may follow. */
const TOPICS = new Set(
  Object.keys(COMMANDS)
    .filter((id) => id.includes(' '))
    .map((id) => id.slice(0, id.indexOf(' '))),
);

function commandId(first: string, second: string | undefined): string | undefined {
  if (second !== undefined && TOPICS.has(first)) {
    const pair = `${first} ${second}`;
    if (Object.hasOwn(COMMANDS, pair)) return pair;
  }
  return Object.hasOwn(COMMANDS, first) ? first : undefined;
}

function countLeading(argv: readonly string[]): number {
  let index = 0;
  for (;;) {
    const token = argv[index];
    if (token?.startsWith('-') !== true) return index;
    if (LEADING_WITH_VALUE.has(token)) {
      if (argv[index + 1] === undefined) throw new WnError('usage', `${token} expects a value`);
      index += 2;
    } else if (LEADING.has(token) || isJoined(token)) index += 1;
    else {
      throw new WnError('usage', `unknown flag: ${token}`, {
        hint: 'only global flags stand before the command; see wn --help',
      });
    }
  }
}

/** A flag and its value in one word: `-Cdir`, `--lock-timeout=2s`. */
function isJoined(token: string): boolean {
  return /^(-C.|--directory=|--lock-timeout=)/.test(token);
}

/** Commands below a first word (`remote`): their second words. */
export function subcommands(topic: string): readonly string[] {
  const prefix = `${topic} `;
  return Object.keys(COMMANDS)
    .filter((id) => id.startsWith(prefix))
    .map((id) => id.slice(prefix.length));
}

function unknownCommand(first: string, second: string | undefined): WnError {
  const below = subcommands(first);
  if (below.length > 0) {
    const message =
      second === undefined || second.startsWith('-')
        ? `wn ${first} needs one of: ${below.join(', ')}`
        : `no command: ${first} ${second}`;
    const guess = second === undefined ? undefined : nearest(second, below);
    return new WnError('usage', message, {
      hint: guess === undefined ? `see wn help ${first}` : `did you mean wn ${first} ${guess}?`,
    });
  }
  const habit = hintForWord(first);
  if (habit !== undefined) return new WnError('usage', `no command: ${first}`, { hint: habit });
  const guess = nearest(first, [...Object.keys(COMMANDS), ...TOPICS]);
  return new WnError('usage', `no command: ${first}`, {
    hint: guess === undefined ? 'wn help lists the commands' : `did you mean wn ${guess}?`,
  });
}
