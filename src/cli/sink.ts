/**
 * Standard output and error as sinks: a write resolves when the system has taken it, so
 * that a pipe gets the last byte of ten megabytes; a reader that went away (`| head`) is
 * no error. Nothing is escaped here.
 */
import { isatty } from 'node:tty';

import { WnError } from '../core/errors.js';

export interface Sink {
  readonly isTty: boolean;
  /** Width of the terminal in characters; 80 where there is none. */
  readonly columns: number;
  /** Throws `WnError('failed' | 'disk_full')`; after the reader left, does nothing. */
  write(chunk: string | Uint8Array): Promise<void>;
}

const COLUMNS_DEFAULT = 80;

function writeError(name: string, error: NodeJS.ErrnoException): WnError {
  return new WnError(
    error.code === 'ENOSPC' ? 'disk_full' : 'failed',
    `cannot write to ${name}: ${error.message}`,
    { cause: error },
  );
}

/**
 * Opens the stream at the first write, because many commands never write to stderr and
 * each of Node's streams takes a millisecond to make. `onClosed` runs once, when the
 * reader has gone away.
 */
export function streamSink(
  fd: 1 | 2,
  onClosed: () => void = () => undefined,
): Sink {
  const isTty = isatty(fd);
  const name = fd === 1 ? 'standard output' : 'standard error';
  let opened: NodeJS.WriteStream | undefined;
  let closed = false;

  function open(): NodeJS.WriteStream {
    if (opened !== undefined) return opened;
    opened = fd === 1 ? process.stdout : process.stderr;
    // oclif puts a listener on stdout that throws; here the write itself reports the error.
    opened.removeAllListeners('error');
    opened.on('error', () => undefined);
    return opened;
  }

  return {
    isTty,
    get columns() {
      return isTty ? open().columns : COLUMNS_DEFAULT;
    },
    write: (chunk) =>
      closed || chunk.length === 0
        ? Promise.resolve()
        : new Promise((resolve, reject) => {
            open().write(chunk, (error: NodeJS.ErrnoException | null | undefined) => {
              if (error === null || error === undefined) return resolve();
              if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') {
                return reject(writeError(name, error));
              }
              if (!closed) onClosed();
              closed = true;
              resolve();
            });
          }),
  };
}

/** For batch lines, whose text nobody reads. */
export const NULL_SINK: Sink = {
  isTty: false,
  columns: COLUMNS_DEFAULT,
  write: () => Promise.resolve(),
};
