/**
 * Prints how a command ended: one JSON document with `--json`, else text on stdout and
 * errors with their hints on stderr.
 */
import { EXIT, type WnError } from '../core/errors.js';
import type { Context } from './context.js';
import { documentOf, encodeJson, type Ending } from './outcome.js';
import type { TextOutput } from './output.js';
import type { Sink } from './sink.js';
import { escapeTerminal } from './terminal.js';

/** The result, or with `--json` the whole ending. */
export async function printResult<Result>(
  context: Context,
  ending: Ending<Result>,
  text: (ending: Ending<Result>) => TextOutput,
  showText: (context: Context, content: string | Uint8Array) => Promise<void> = writeText,
): Promise<void> {
  if (context.json) {
    await context.stdout.write(`${encodeJson(documentOf(ending))}\n`);
  } else if (ending.result !== undefined) {
    await showText(context, text(ending).content());
  }
}

async function writeText(context: Context, content: string | Uint8Array): Promise<void> {
  await context.stdout.write(content);
}

/** `wn: message` and `hint: …`; the stack of a bug only where it was asked for. */
export async function printFailure(
  stderr: Sink,
  failure: WnError,
  env: Context['env'],
): Promise<void> {
  let text = `wn: ${escapeTerminal(failure.message)}\n`;
  if (failure.hint !== undefined) text += `hint: ${escapeTerminal(failure.hint)}\n`;
  if (failure.exit === EXIT.failed && env['WN_LOG'] === 'debug') text += `${stackOf(failure)}\n`;
  await stderr.write(text);
}

function stackOf(failure: WnError): string {
  const source = failure.cause instanceof Error ? failure.cause : failure;
  const lines = (source.stack ?? source.message).split('\n');
  return lines.map((line) => escapeTerminal(line)).join('\n');
}
