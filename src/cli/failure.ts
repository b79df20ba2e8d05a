/**
 * Turns whatever was thrown into the one error type. What the world did has a code and a
 * hint; anything unknown is a bug of ours, `internal`, and says how to report it.
 */
import { WnError } from '../core/errors.js';
import { hintForFlag } from './habits.js';
import { nearest } from './suggest.js';

const ERRNO_CODES: Readonly<Record<string, 'disk_full' | 'read_only' | 'unreadable'>> = {
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EROFS: 'read_only',
  EACCES: 'unreadable',
  EPERM: 'unreadable',
};

export function toFailure(error: unknown): WnError {
  if (error instanceof WnError) return error;
  if (error instanceof Error) {
    if (error.name === 'AbortError') return interrupted();
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code !== undefined && syscall !== undefined) {
      return new WnError(ERRNO_CODES[code] ?? 'failed', error.message, { cause: error });
    }
  }
  const message = error instanceof Error ? error.message : String(error);
  return new WnError('internal', message, {
    cause: error,
    hint: 'this is a bug in wn; run the command again with WN_LOG=debug and report what it prints',
  });
}

export function interrupted(): WnError {
  return new WnError('interrupted', 'interrupted');
}

/** The parts of oclif's parse errors that tell them apart; it doesn't export the classes. */
interface ParseError extends Error {
  readonly args?: readonly (string | { readonly name: string })[];
  readonly flags?: readonly string[];
}

/**
 * What the parser threw, as a usage error. It throws its own class, or what a flag's
 * `parse` threw with the message rewritten; a TypeError is a bug and stays one.
 */
export function toUsageError(error: unknown, command: string, flags: readonly string[]): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof TypeError || error instanceof RangeError) return error;
  const hint = `see wn ${command} --help`;
  const { args, flags: unknownFlags } = error as ParseError;
  if (unknownFlags !== undefined) {
    const [unknown = ''] = unknownFlags;
    const habit = hintForFlag(command, unknown);
    if (habit !== undefined)
      return new WnError('usage', `unknown flag: ${unknown}`, { hint: habit });
    const guess = nearest(unknown, flags);
    return new WnError('usage', `unknown flag: ${unknownFlags.join(', ')}`, {
      hint: guess === undefined ? hint : `did you mean ${guess}? ${hint}`,
    });
  }
  if (args !== undefined) {
    const names = args.map((arg) => (typeof arg === 'string' ? arg : arg.name.toUpperCase()));
    const what = typeof args[0] === 'string' ? 'unexpected' : 'missing';
    const noun = args.length === 1 ? 'argument' : 'arguments';
    return new WnError('usage', `${what} ${noun}: ${names.join(', ')}`, { hint });
  }
  if (error instanceof WnError && error.code !== 'usage') return error;
  const own = error instanceof WnError ? error.hint : undefined;
  return new WnError('usage', cleanMessage(error.message), { hint: own ?? hint, cause: error });
}

/** oclif's messages without colours, line breaks and its own hint. */
function cleanMessage(message: string): string {
  const text = message
    // eslint-disable-next-line no-control-regex -- the escape character starts a colour
    .replace(/\u001b\[[0-9;]*m/g, '')
    .replace(/\n?See more help with --help/, '')
    .replace(/^Parsing (--\S+)\s+/, '$1: ')
    .replace(/^The following errors? occurred:\s*/, '')
    .trim()
    .replace(/\s*\n\s*/g, '; ');
  return text.charAt(0).toLowerCase() + text.slice(1);
}
