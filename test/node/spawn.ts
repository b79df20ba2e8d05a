/** Starts `child.ts` and hears what it says. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

export interface Child {
  readonly process: ChildProcess;
  /** The next value it says; undefined at its end. */
  next(): Promise<unknown>;
  /** kill -9, once it is gone. */
  kill(): Promise<void>;
}

/** `before` is a command that runs it, such as strace. */
export function startChild(what: string, root: string, before: readonly string[] = []): Child {
  const [command = '', ...args] = [
    ...before,
    process.execPath,
    '--import',
    'tsx',
    CHILD,
    what,
    root,
  ];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    process: child,
    async next() {
      const line = await lines.next();
      return line.done === true ? undefined : (JSON.parse(line.value) as unknown);
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
