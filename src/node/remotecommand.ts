/**
 * What is run on the other side of SSH, as one line for a shell there, and what it means
 * that it didn't answer. The same for the system's `ssh` and for `ssh2`.
 */
import { WnError } from '../core/errors.js';
import { REMOTE_STDERR_BYTES_MAX } from '../core/limits.js';

export interface RemoteCommand {
  /** The program there and what the user has put behind it. */
  readonly words: readonly string[];
  readonly path: string;
}

export function commandLine({ words, path }: RemoteCommand): string {
  return [...[...words, 'serve', '--stdio'].map(quotedIfNeeded), quoted(path)].join(' ');
}

/** One word for a POSIX shell, as Git quotes it; a home at its front stays what it means. */
function quoted(word: string): string {
  const home = /^~[A-Za-z0-9_-]*(\/|$)/.exec(word)?.[0] ?? '';
  const rest = word.slice(home.length);
  return home + (rest === '' && home !== '' ? '' : `'${rest.replace(/['!]/g, "'\\$&'")}'`);
}

/** A plain word stays as it is: the other side's log of commands is easier to read. */
function quotedIfNeeded(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : quoted(word);
}

/** The end of what a program says on its standard error. */
export class LastWords {
  private bytes = Buffer.alloc(0);

  hear(bytes: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, bytes]).subarray(-REMOTE_STDERR_BYTES_MAX);
  }

  get text(): string {
    return this.bytes.toString('utf8').trim();
  }
}

const LINES_SHOWN = 3;

/** `: ` and the last of the lines; nothing where there is none. */
export function because(said: string): string {
  return said === '' ? '' : `: ${said.split(/\r?\n/).slice(-LINES_SHOWN).join(' · ')}`;
}

/** The host was reached, and what runs there isn't `wn`, or has nothing to serve. */
export function noAnswer(host: string, { words }: RemoteCommand, said: string): WnError {
  const [program = 'wn'] = words;
  return new WnError('unreachable', `${host} doesn't answer as ${program}${because(said)}`, {
    hint: 'nothing was exchanged; if wn is elsewhere there: wn remote add NAME ADDRESS --serve-command /path/to/wn',
    details: { host, stderr: said },
  });
}
