/** The context of a command that was started from a shell: the process's own streams and signals. */
import { LOCK_TIMEOUT_MS } from '../core/limits.js';
import { nodeClock } from '../node/clock.js';

import type { Context } from './context.js';
import { ProcessInterruption } from './interrupt.js';
import { hasFlag } from './locate.js';
import { colourStyle, PLAIN_STYLE } from './output.js';
import { descriptorSink, isTerminal } from './sink.js';

export interface ProcessContext extends Context {
  readonly interruption: ProcessInterruption;
}

export async function processContext(argv: readonly string[]): Promise<ProcessContext> {
  const { env } = process;
  const interruption = new ProcessInterruption();
  const outTty = await isTerminal(1);
  const json = hasFlag(argv, '--json');
  const coloured = outTty && wantsColour(argv, env);
  return {
    cwd: process.cwd(),
    env,
    json,
    quiet: false,
    inBatch: false,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    stdout: descriptorSink(1, outTty, () => interruption.interrupt('EPIPE')),
    stderr: descriptorSink(2, await isTerminal(2)),
    style: coloured ? await colourStyle() : PLAIN_STYLE,
    interactive: !json && env['CI'] !== 'true' && outTty && (await isTerminal(0)),
    clock: nodeClock,
    interruption,
    shared: { session: undefined },
  };
}

/** See https://no-color.org: any value but the empty one turns colours off. */
function wantsColour(argv: readonly string[], env: NodeJS.ProcessEnv): boolean {
  if (env['TERM'] === 'dumb') return false;
  return (env['NO_COLOR'] ?? '') === '' && !hasFlag(argv, '--no-color', '--json');
}
