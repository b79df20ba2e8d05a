/**
 * Help as plain text. `wn X --help`, `wn help X` and the manual page have the same parts
 * from the same descriptions.
 */
import type { ArgDescription, CommandDescription, FlagDescription } from './describe.js';
import { GLOBAL_GROUP } from './flags.js';

const WIDTH = 80;

/** `PATH…`, `[FILE]` */
export function argLabel(arg: ArgDescription): string {
  const name = arg.name.toUpperCase() + (arg.multiple === true ? '…' : '');
  return arg.required === true ? name : `[${name}]`;
}

/** `-m, --message M` */
export function flagLabel(flag: FlagDescription): string {
  const long = flag.allowNo === true ? `--[no-]${flag.name}` : `--${flag.name}`;
  const names = flag.char === undefined ? long : `-${flag.char}, ${long}`;
  return flag.type === 'boolean' ? names : `${names} ${flagValue(flag)}`;
}

function flagValue(flag: FlagDescription): string {
  return flag.helpValue ?? flag.options?.join('|') ?? flag.name.toUpperCase();
}

/** `wn mv FROM TO [flags]` */
export function usageLine(command: CommandDescription): string {
  const required = command.flags.filter((flag) => flag.required === true);
  const parts = [
    'wn',
    command.id,
    ...command.args.map(argLabel),
    ...required.map((flag) => `--${flag.name} ${flagValue(flag)}`),
  ];
  if (command.flags.some((flag) => flag.helpGroup !== GLOBAL_GROUP && flag.required !== true)) {
    parts.push('[flags]');
  }
  if (command.trailing !== undefined) parts.push(`[-- ${command.trailing}…]`);
  return parts.join(' ');
}

export function flagText(flag: FlagDescription): string {
  const notes: string[] = [];
  if (flag.options !== undefined && flag.helpValue !== undefined) {
    notes.push(`One of ${flag.options.join(', ')}.`);
  }
  if (flag.multiple === true) notes.push('May be repeated.');
  return [flag.description ?? '', ...notes].join(' ').trim();
}

export function argText(arg: ArgDescription): string {
  const values = arg.options === undefined ? '' : ` One of ${arg.options.join(', ')}.`;
  return `${arg.description ?? ''}${values}`.trim();
}

export function isGlobal(flag: FlagDescription): boolean {
  return flag.helpGroup === GLOBAL_GROUP;
}

export function commandHelp(command: CommandDescription): string {
  const sections = [
    `wn ${command.id} - ${command.summary}`,
    section('USAGE', `  ${usageLine(command)}`),
    section('DESCRIPTION', command.description && wrap(command.description, 2)),
    section('ARGUMENTS', list(command.args.map((arg) => [argLabel(arg), argText(arg)]))),
    section('FLAGS', flagList(command.flags.filter((flag) => !isGlobal(flag)))),
    section('GLOBAL FLAGS', flagList(command.flags.filter(isGlobal))),
    section('RESULT OF --json', command.result && wrap(command.result, 2)),
    section('EXAMPLES', command.examples.map((example) => `  $ ${example}`).join('\n')),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

/** `wn` alone and `wn help`. */
export function overview(commands: readonly CommandDescription[], version: string): string {
  const rows = commands
    .filter((command) => !command.hidden)
    .map((command): [string, string] => [command.id, command.summary]);
  return [
    `wn ${version} - keeps a folder of plain files in step across machines`,
    section('USAGE', '  wn [-C DIR] COMMAND [arguments] [flags]'),
    section('COMMANDS', list(rows)),
    'wn help COMMAND says more; with --json every command prints one JSON document.\n',
  ].join('\n\n');
}

/** `wn help remote`: what stands below a first word. */
export function topicHelp(topic: string, commands: readonly CommandDescription[]): string {
  const rows = commands.map((command): [string, string] => [usageLine(command), command.summary]);
  return `${section(`wn ${topic}`, list(rows))}\n`;
}

function section(title: string, body: string | undefined): string {
  return body === undefined || body === '' ? '' : `${title}\n${body}`;
}

function flagList(flags: readonly FlagDescription[]): string {
  return list(
    flags.map((flag) => [
      flag.char === undefined ? `    ${flagLabel(flag)}` : flagLabel(flag),
      flagText(flag),
    ]),
  );
}

const LABEL_CHARS_MAX = 28;

/** Labels in a column, texts wrapped beside them; a long label has its text below. */
function list(rows: readonly (readonly [label: string, text: string])[]): string {
  const fitting = rows.map(([label]) => label.length).filter((width) => width <= LABEL_CHARS_MAX);
  const column = Math.max(0, ...fitting) + 4;
  return rows
    .map(([label, text]) => {
      const wrapped = wrap(text, column);
      if (text === '') return `  ${label}`;
      return label.length + 4 > column
        ? `  ${label}\n${wrapped}`
        : `  ${label}${wrapped.slice(label.length + 2)}`;
    })
    .join('\n');
}

/** Fills paragraphs to the width; blank lines and lines that start with a blank are kept. */
export function wrap(text: string, indent: number): string {
  const margin = ' '.repeat(indent);
  return text
    .split(/\n{2,}/)
    .map((paragraph) =>
      /^ /m.test(paragraph)
        ? paragraph.replace(/^/gm, margin)
        : fill(paragraph.split(/\s+/), WIDTH - indent).replace(/^/gm, margin),
    )
    .join('\n\n');
}

/** Words in lines of at most `width` characters, but for a longer word. */
export function fill(words: readonly string[], width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
