/** Questions to whoever sits at the terminal; where nobody does, an error names the flag. */
import { WnError } from '../core/errors.js';
import type { Context } from './context.js';
import { escapeTerminal } from './terminal.js';

export interface Question {
  /** Ends without a mark: `Push to 3 remotes`. */
  readonly text: string;
  /** What gives the answer without asking: `--yes`. */
  readonly flag: string;
}

/** Throws `usage` where nobody can be asked. An empty answer is no. */
export async function confirm(context: Context, question: Question): Promise<boolean> {
  const answer = await ask(context, { ...question, text: `${question.text}? [y/N]` });
  return /^y(es)?$/i.test(answer.trim());
}

/** One line, without its end. Throws `usage` where nobody can be asked. */
export async function ask(context: Context, question: Question): Promise<string> {
  if (!context.interactive) {
    throw new WnError('usage', `an answer is needed: ${question.text}`, {
      hint: `nobody can be asked here; give ${question.flag}`,
    });
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // In line mode Ctrl-C reaches readline, not the process.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await terminal.question(`${escapeTerminal(question.text)} `, {
      signal: context.interruption.signal,
    });
  } finally {
    terminal.close();
  }
}

/** One line that isn't shown. Only where somebody is at the terminal. */
export async function askSecret(context: Context, text: string): Promise<string> {
  const [{ createInterface }, { Writable }] = await Promise.all([
    import('node:readline/promises'),
    import('node:stream'),
  ]);
  await context.stderr.write(`${escapeTerminal(text)} `);
  const silent = new Writable({ write: (_bytes, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await terminal.question('', { signal: context.interruption.signal });
  } finally {
    terminal.close();
    await context.stderr.write('\n');
  }
}
