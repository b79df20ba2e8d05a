/**
 * The program: one line in, one exit code out. It never calls `process.exit`, which could
 * cut what is still on its way to a pipe; it sets `process.exitCode` and lets go of
 * everything that keeps the process alive.
 */
import { EXIT, type WnError } from '../core/errors.js';
import { closeSession, type Context } from './context.js';
import { interrupted, toFailure } from './failure.js';
import type { InterruptReason, ProcessInterruption } from './interrupt.js';
import { endingOfError, type Ending } from './outcome.js';
import { TextOutput } from './output.js';
import { page } from './pager.js';
import { present, printFailure, type Presentation } from './present.js';
import { processContext, type ProcessContext } from './processContext.js';
import { prepare, type Prepared } from './run.js';

/** How long the rest may take, once an interrupted command has had its time to end. */
const SETTLING_MS = 2_000;

/** Finds the command of a line. Throws `usage`. */
type Find = (argv: readonly string[], context: Context) => Promise<Prepared>;

/** Never rejects. `find` is another one only in tests of the contract. */
export async function main(argv: readonly string[], find: Find = prepare): Promise<void> {
  const context = await processContext(argv);
  let prepared: Prepared | undefined;
  const graceMs = (): number => prepared?.class.graceMs ?? 0;
  listenToSignals(context.interruption, graceMs);
  let ending: Ending;
  try {
    prepared = await find(argv, context);
    ending = await untilInterrupted(prepared.command.run(), context.interruption, graceMs);
  } catch (error) {
    ending = endingOfError(toFailure(error));
  }
  ending = await settle(ending, context);
  process.exitCode = ending.exit;
  try {
    await present(context, ending, presentation(prepared, ending));
  } catch (error) {
    await reportLost(toFailure(error), context);
  }
}

function presentation(prepared: Prepared | undefined, ending: Ending): Presentation {
  return {
    // A command that wasn't found has no result to render.
    text: () => prepared?.command.text(ending) ?? new TextOutput(),
    show: prepared?.class.paged === true ? page : undefined,
  };
}

/** What was recorded is durable before its result is printed. */
async function settle(ending: Ending, context: ProcessContext): Promise<Ending> {
  const { interruption } = context;
  if (interruption.reason !== undefined) await interruption.cleanUp();
  try {
    await closeSession(context);
  } catch (error) {
    if (ending.failure === undefined) return endingOfError(toFailure(error));
  }
  switch (interruption.reason) {
    case 'SIGINT':
      return { ...ending, failure: interrupted(), exit: EXIT.interrupted };
    case 'EPIPE':
      return { exit: ending.failure?.code === 'interrupted' ? EXIT.done : ending.exit };
    case 'SIGTERM':
    case undefined:
      return ending;
  }
}

/** The result couldn't be written: stderr is what is left. */
async function reportLost(failure: WnError, context: Context): Promise<void> {
  process.exitCode = failure.exit;
  await printFailure(context, failure).catch(() => undefined);
}

/** The command's ending, or that of an interrupted one which doesn't end by itself. */
async function untilInterrupted(
  running: Promise<Ending>,
  interruption: ProcessInterruption,
  graceMs: () => number,
): Promise<Ending> {
  const expired = new Promise<Ending>((resolve) => {
    interruption.signal.addEventListener('abort', () => {
      setTimeout(() => resolve(endingOfError(interrupted())), graceMs()).unref();
    });
  });
  return Promise.race([running, expired]);
}

/**
 * The first signal asks the command to end. A second one, or a process that is still
 * there when all is settled, gets what the signal does by default.
 */
function listenToSignals(interruption: ProcessInterruption, graceMs: () => number): void {
  const onSignal = (signal: InterruptReason & NodeJS.Signals): void => {
    if (interruption.signal.aborted) return die(signal);
    process.exitCode = EXIT.interrupted;
    interruption.interrupt(signal);
    setTimeout(() => die(signal), graceMs() + SETTLING_MS).unref();
  };
  const die = (signal: NodeJS.Signals): void => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => onSignal(signal));
}
