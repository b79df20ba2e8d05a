/** Shows long text in the user's pager: `$WN_PAGER`, `$PAGER`, or `less -FRX`. */
import type { Context } from './context.js';
import { splitWords } from './words.js';

/** Writes to stdout itself where there is no terminal, or no such pager. */
export async function page(context: Context, content: string | Uint8Array): Promise<void> {
  const [program, ...args] = splitWords(
    context.env['WN_PAGER'] ?? context.env['PAGER'] ?? 'less -FRX',
  );
  if (!context.stdout.isTty || !context.interactive || program === undefined || program === 'cat') {
    return context.stdout.write(content);
  }
  if (!(await runPager(program, args, context, content))) await context.stdout.write(content);
}

/** False if the pager couldn't be started. */
async function runPager(
  program: string,
  args: readonly string[],
  context: Context,
  content: string | Uint8Array,
): Promise<boolean> {
  const { spawn } = await import('node:child_process');
  const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], cwd: context.cwd });
  // Ctrl-C is the pager's while it runs, as it is in git: it ends a search, not the program.
  const listeners = process.listeners('SIGINT');
  process.removeAllListeners('SIGINT').on('SIGINT', () => undefined);
  const closed = new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', () => resolve(true));
    // The reader may leave before the end (`q`): that is no error.
    child.stdin.on('error', () => undefined);
    child.stdin.end(content);
  });
  return closed.finally(() => {
    process.removeAllListeners('SIGINT');
    for (const listener of listeners) process.on('SIGINT', listener);
  });
}
