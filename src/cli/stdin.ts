/** Standard input, read whole: a body, a ticket. */
import { WnError } from '../core/errors.js';
import { STDIN_BYTES_MAX } from '../core/limits.js';
import type { Context } from './context.js';
import { interrupted } from './failure.js';

/** Throws `usage` in a batch, whose own lines come from there, and `too_large`. */
export async function readStdin(
  context: Context,
  bytesMax: number = STDIN_BYTES_MAX,
): Promise<Uint8Array> {
  if (context.inBatch) {
    throw new WnError('usage', 'a line of a batch cannot read standard input', {
      hint: 'give the text on the line itself, or in a file',
    });
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stdinChunks(context)) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new WnError('too_large', `standard input holds more than ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  if (context.interruption.signal.aborted) throw interrupted();
  return Buffer.concat(chunks);
}

/** Standard input as it arrives; an interruption ends it. */
export async function* stdinChunks(context: Context): AsyncGenerator<Uint8Array> {
  const { signal } = context.interruption;
  signal.addEventListener('abort', () => process.stdin.destroy(), { once: true });
  try {
    yield* process.stdin as AsyncIterable<Uint8Array>;
  } catch (error) {
    // A destroyed stream ends its readers with an error.
    if (!signal.aborted) throw error;
  }
}
