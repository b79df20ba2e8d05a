/** A context whose streams are strings, for commands and batches run within a test. */
import type { Context } from '../../src/cli/context.js';
import { ProcessInterruption } from '../../src/cli/interrupt.js';
import { PLAIN_STYLE } from '../../src/cli/output.js';
import type { Sink } from '../../src/cli/sink.js';

export interface MemorySink extends Sink {
  text: string;
}

export function memorySink(overrides: Partial<Sink> = {}): MemorySink {
  const sink: MemorySink = {
    isTty: false,
    columns: 80,
    text: '',
    write: (chunk) => {
      sink.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      return Promise.resolve();
    },
    ...overrides,
  };
  return sink;
}

export interface MemoryContext extends Context {
  readonly stdout: MemorySink;
  readonly stderr: MemorySink;
  readonly interruption: ProcessInterruption;
}

/** The clock stands still. */
export function memoryContext(overrides: Partial<MemoryContext> = {}): MemoryContext {
  return {
    cwd: process.cwd(),
    env: {},
    json: false,
    quiet: false,
    inBatch: false,
    lockTimeoutMs: 0,
    stdout: memorySink(),
    stderr: memorySink(),
    style: PLAIN_STYLE,
    interactive: false,
    clock: { wallMs: () => 0, monotonicMs: () => 0, after: () => () => undefined },
    interruption: new ProcessInterruption(),
    shared: { session: undefined },
    ...overrides,
  };
}
