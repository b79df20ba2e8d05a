/**
 * `wn batch`: many commands in one process, with group commit. The lines that have arrived
 * form groups; each line runs against the open session, then one sync makes all of its
 * group durable, and only then are they answered. Files are brought in step, and others let
 * write, after the last group of what has arrived. So a writer that waits for each answer
 * gets it at once, and one that doesn't pays for one sync in hundreds of lines.
 */
import { isUtf8 } from 'node:buffer';

import { EXIT, WnError, type ExitCode } from '../core/errors.js';
import { BATCH_GROUP_LINES_MAX, BATCH_LINE_BYTES_MAX } from '../core/limits.js';
import { closeSession, type Context } from './context.js';
import { toFailure } from './failure.js';
import { documentOf, encodeJson, endingOfError, type Ending } from './outcome.js';
import { prepare } from './run.js';
import { NULL_SINK } from './sink.js';
import { splitWords } from './words.js';

const NEWLINE = 0x0a;

interface LineGroup {
  readonly lines: readonly Line[];
  /** More lines are here already. */
  readonly followed: boolean;
}

interface Line {
  readonly number: number;
  /** Null where the line can't be run at all; `why` says so. */
  readonly bytes: Uint8Array | null;
}

/** Answers every line of `input`; `partly` if one of them failed. */
export async function runBatch(
  context: Context,
  input: AsyncIterable<Uint8Array>,
): Promise<ExitCode> {
  const lineContext: Context = {
    ...context,
    json: true,
    inBatch: true,
    interactive: false,
    stdout: NULL_SINK,
  };
  let exit: ExitCode = EXIT.done;
  for await (const group of groups(input)) {
    const answers = await runGroup(lineContext, group);
    if (answers.some((answer) => answer.exit !== EXIT.done)) exit = EXIT.partly;
    await context.stdout.write(answers.map(({ text }) => text).join(''));
    if (context.interruption.signal.aborted) break;
  }
  return exit;
}

/** Kept as text: thousands of results would all outlive a collection of the young heap. */
interface Answer {
  readonly line: number;
  readonly exit: ExitCode;
  readonly text: string;
}

async function runGroup(context: Context, group: LineGroup): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const line of group.lines) {
    if (context.interruption.signal.aborted) break;
    const argv = parseLine(line);
    if (argv instanceof WnError) answers.push(answerOf(line.number, endingOfError(argv)));
    else if (argv.length > 0) answers.push(answerOf(line.number, await runLine(context, argv)));
  }
  try {
    if (group.followed) await context.shared.session?.sync();
    else await context.shared.session?.flush();
  } catch (error) {
    return withdraw(answers, toFailure(error), context);
  }
  return answers;
}

/** None of the group is known to be durable; what had failed by itself keeps its reason. */
async function withdraw(
  answers: readonly Answer[],
  failure: WnError,
  context: Context,
): Promise<readonly Answer[]> {
  // The next group opens anew and finds out what is on the disk.
  await closeSession(context).catch(() => undefined);
  return answers.map((answer) =>
    answer.exit === EXIT.done ? answerOf(answer.line, endingOfError(failure)) : answer,
  );
}

/** `{"ok":…,"line":7,"result"|"error":…,"exit":0}` and a newline. */
function answerOf(line: number, ending: Ending): Answer {
  const { ok, ...rest } = documentOf(ending);
  const text = `${encodeJson({ ok, line, ...rest, exit: ending.exit })}\n`;
  return { line, exit: ending.exit, text };
}

async function runLine(context: Context, argv: readonly string[]): Promise<Ending> {
  try {
    const { id, command, class: commandClass } = await prepare(argv, context);
    if (id === 'batch' || isEndless(commandClass.endless, argv)) {
      throw new WnError('usage', `wn ${id} does not end by itself and cannot run in a batch`, {
        hint: 'run it on its own',
      });
    }
    return await command.run();
  } catch (error) {
    return endingOfError(toFailure(error));
  }
}

/** A command is endless by nature, or by a flag whose name it gives. */
function isEndless(endless: boolean | string, argv: readonly string[]): boolean {
  return typeof endless === 'string' ? argv.includes(`--${endless}`) : endless;
}

/** The words of a line, none for a blank line or a comment; an error is the line's answer. */
function parseLine({ bytes }: Line): readonly string[] | WnError {
  if (bytes === null) {
    return new WnError('too_large', `the line has more than ${BATCH_LINE_BYTES_MAX} bytes`);
  }
  if (!isUtf8(bytes)) return new WnError('usage', 'the line is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').trim();
  if (text === '' || text.startsWith('#')) return [];
  try {
    return text.startsWith('[') ? parseArray(text) : splitWords(text);
  } catch (error) {
    return toFailure(error);
  }
}

function parseArray(text: string): readonly string[] {
  let words: unknown;
  try {
    words = JSON.parse(text);
  } catch {
    words = undefined;
  }
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) {
    throw new WnError('usage', 'the line is not a JSON array of strings');
  }
  if (words.length === 0) throw new WnError('usage', 'the line names no command');
  return words;
}

/** Lines as they arrive, in groups of at most `BATCH_GROUP_LINES_MAX`; the last may lack its end. */
async function* groups(input: AsyncIterable<Uint8Array>): AsyncGenerator<LineGroup> {
  let rest: Uint8Array = new Uint8Array(0);
  let number = 0;
  let skipping = false;
  for await (const chunk of input) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const lines: Line[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      if (skipping) skipping = false;
      else lines.push(lineOf(++number, bytes.subarray(start, end)));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > BATCH_LINE_BYTES_MAX) {
      if (!skipping) lines.push({ number: ++number, bytes: null });
      skipping = true;
    }
    if (skipping) rest = rest.subarray(rest.length);
    for (let from = 0; from < lines.length; from += BATCH_GROUP_LINES_MAX) {
      const to = from + BATCH_GROUP_LINES_MAX;
      yield { lines: lines.slice(from, to), followed: to < lines.length };
    }
  }
  if (rest.length > 0) yield { lines: [lineOf(++number, rest)], followed: false };
}

function lineOf(number: number, bytes: Uint8Array): Line {
  return { number, bytes: bytes.length > BATCH_LINE_BYTES_MAX ? null : bytes };
}
