/**
 * Standard output and error as sinks: a write resolves when the system has taken it, so
 * that a pipe gets the last byte of ten megabytes; a reader that went away (`| head`) is
 * no error. Nothing is escaped here.
 */
import { fstatSync, statSync, writeSync } from 'node:fs';

import { WnError } from '../core/errors.js';

export interface Sink {
  readonly isTty: boolean;
  /** Width of the terminal in characters; 80 where there is none. */
  readonly columns: number;
  /** Throws `WnError('failed' | 'disk_full')`; after the reader left, does nothing. */
  write(chunk: string | Uint8Array): Promise<void>;
}

const COLUMNS_DEFAULT = 80;

/** Whether a descriptor is a terminal. `node:tty` is asked, and loaded, only if it may be one. */
export async function isTerminal(fd: 0 | 1 | 2): Promise<boolean> {
  try {
    const stat = fstatSync(fd);
    if (!stat.isCharacterDevice() || stat.rdev === statSync('/dev/null').rdev) return false;
  } catch {
    // Closed by whoever started us (`>&-`); or there is no /dev/null, and tty must tell.
    if (process.platform !== 'win32') return false;
  }
  const { isatty } = await import('node:tty');
  return isatty(fd);
}

/**
 * Writes with plain system calls, as Node's own streams do for files and pipes on Linux,
 * but without the eight milliseconds that these take to load. Only where somebody has made
 * the descriptor non-blocking, and it is full, does the stream wait. `onClosed` runs once,
 * when the reader has gone away.
 */
export function descriptorSink(
  fd: 1 | 2,
  isTty: boolean,
  onClosed: () => void = () => undefined,
): Sink {
  let closed = false;

  function fail(error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE' && code !== 'ERR_STREAM_DESTROYED') {
      const name = fd === 1 ? 'standard output' : 'standard error';
      throw new WnError(
        code === 'ENOSPC' ? 'disk_full' : 'failed',
        `cannot write to ${name}: ${message}`,
        { cause: error },
      );
    }
    if (!closed) onClosed();
    closed = true;
  }

  return {
    isTty,
    get columns() {
      return isTty ? streamOf(fd).columns : COLUMNS_DEFAULT;
    },
    async write(chunk) {
      let rest = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      try {
        while (!closed && rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return fail(error);
        await writeStream(fd, rest).catch(fail);
      }
    },
  };
}

function streamOf(fd: 1 | 2): NodeJS.WriteStream {
  return fd === 1 ? process.stdout : process.stderr;
}

async function writeStream(fd: 1 | 2, bytes: Uint8Array): Promise<void> {
  const stream = streamOf(fd);
  // Without a listener an error would end the process; the write itself reports it.
  if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** For batch lines, whose text nobody reads. */
export const NULL_SINK: Sink = {
  isTty: false,
  columns: COLUMNS_DEFAULT,
  write: () => Promise.resolve(),
};
