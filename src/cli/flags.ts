/**
 * The global flags, and oclif's flag and argument builders with what we add to them:
 * commands import both from `command.ts`.
 */
import * as OclifArgs from '@oclif/core/args';
import * as OclifFlags from '@oclif/core/flags';

import { WnError } from '../core/errors.js';
import { LOCK_TIMEOUT_MS } from '../core/limits.js';
import { parseSpan } from '../tree/dates.js';

/** `500ms`, `5s`, `15m`, `8h`, `7d`, `2w`, `1h30m`, `0` to milliseconds. Throws `usage`. */
export function parseDuration(text: string): number {
  const ms = text === '0' ? 0 : parseSpan(text);
  if (ms !== null && !text.endsWith(' ago')) return ms;
  throw new WnError('usage', `not a duration: ${text}`, { hint: 'write 500ms, 5s, 15m, 8h or 7d' });
}

export const Flags = {
  boolean: OclifFlags.boolean,
  string: OclifFlags.string,
  integer: OclifFlags.integer,
  option: OclifFlags.option,
  custom: OclifFlags.custom,
  /** Milliseconds. */
  duration: OclifFlags.custom<number>({
    helpValue: 'DURATION',
    parse: (text) => Promise.resolve(parseDuration(text)),
  }),
};

/** Words, and words of a few. A line without flags is taken apart without the parser (`parse.ts`). */
export const Args = { string: OclifArgs.string, option: OclifArgs.option };

export const GLOBAL_GROUP = 'GLOBAL';

export const globalFlags = {
  directory: Flags.string({
    char: 'C',
    helpGroup: GLOBAL_GROUP,
    helpValue: 'DIR',
    description: 'Work as if started in DIR.',
  }),
  json: Flags.boolean({
    helpGroup: GLOBAL_GROUP,
    description: 'Print one JSON document instead of text.',
  }),
  quiet: Flags.boolean({
    char: 'q',
    helpGroup: GLOBAL_GROUP,
    description: 'Print no notices and no progress.',
  }),
  'no-color': Flags.boolean({
    helpGroup: GLOBAL_GROUP,
    description: 'Print no colours. NO_COLOR in the environment does the same.',
  }),
  'lock-timeout': Flags.duration({
    helpGroup: GLOBAL_GROUP,
    default: LOCK_TIMEOUT_MS,
    description: 'Wait this long for a lock that another process holds (5s).',
  }),
  help: Flags.boolean({
    char: 'h',
    helpGroup: GLOBAL_GROUP,
    description: 'Show the help of the command.',
  }),
};
