/**
 * Prints how a command ended: one JSON document with `--json`, else text on stdout and
 * the error with its hint on stderr.
 */
import { EXIT, type WnError } from '../core/errors.js';
import type { Context } from './context.js';
import { documentOf, encodeJson, type Ending } from './outcome.js';
import type { TextOutput } from './output.js';
import { escapeTerminal } from './terminal.js';

export interface Presentation {
  /** Renders the result; called only if there is one and text is wanted. */
  readonly text: () => TextOutput;
  /** Writes the text: to stdout, unless a pager is to show it. */
  readonly show?: ((context: Context, content: string | Uint8Array) => Promise<void>) | undefined;
}

/** An ending with neither result nor failure prints nothing: a stream has printed its lines. */
export async function present(
  context: Context,
  ending: Ending,
  { text, show = writeText }: Presentation,
): Promise<void> {
  const { failure, result } = ending;
  if (failure === undefined && result === undefined) return;
  if (context.json) {
    await context.stdout.write(`${encodeJson(documentOf(ending))}\n`);
    return;
  }
  if (result !== undefined) await show(context, text().content());
  if (failure !== undefined) await printFailure(context, failure);
}

async function writeText(context: Context, content: string | Uint8Array): Promise<void> {
  await context.stdout.write(content);
}

/** `wn: message` and `hint: …`; the stack of a bug only where it was asked for. */
export async function printFailure(context: Context, failure: WnError): Promise<void> {
  let text = `wn: ${escapeTerminal(failure.message)}\n`;
  if (failure.hint !== undefined) text += `hint: ${escapeTerminal(failure.hint)}\n`;
  if (failure.exit === EXIT.failed && context.env['WN_LOG'] === 'debug') {
    text += `${stackOf(failure)}\n`;
  }
  await context.stderr.write(text);
}

function stackOf(failure: WnError): string {
  const source = failure.cause instanceof Error ? failure.cause : failure;
  const lines = (source.stack ?? source.message).split('\n');
  return lines.map((line) => escapeTerminal(line)).join('\n');
}
