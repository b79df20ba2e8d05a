/**
 * The commented text of etcd's scripted cases (github.com/cockroachdb/datadriven): a command
 * with arguments, its input, `----`, and the output that is expected, up to a blank line or,
 * where that has blank lines itself, between doubled separators.
 */
export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

export interface Directive {
  /** Of the command, counted from 1. */
  readonly line: number;
  readonly command: string;
  readonly args: readonly Argument[];
  readonly input: string;
  /** Ends in a newline unless empty. */
  readonly expected: string;
}

const SEPARATOR = '----';

export function parseDirectives(text: string): readonly Directive[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const directives: Directive[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = at + 1;
    let head = (lines[at++] ?? '').trim();
    if (head === '' || head.startsWith('#')) continue;
    while (head.endsWith('\\')) head = `${head.slice(0, -1)} ${(lines[at++] ?? '').trim()}`;
    const { command, args } = parseCommand(head, line);
    // Names a part of the file; it has neither input nor output.
    if (command === 'subtest') continue;
    const end = lines.indexOf(SEPARATOR, at);
    if (end < 0) throw new Error(`line ${line}: ${command} without ${SEPARATOR}`);
    const input = lines.slice(at, end).join('\n').trim();
    const { expected, next } = parseExpected(lines, end + 1);
    directives.push({ line, command, args, input, expected });
    at = next;
  }
  return directives;
}

function parseExpected(lines: readonly string[], from: number): { expected: string; next: number } {
  const doubled = lines[from] === SEPARATOR;
  const start = doubled ? from + 1 : from;
  const end = lines.findIndex(
    (line, at) =>
      at >= start &&
      (doubled ? line === SEPARATOR && lines[at + 1] === SEPARATOR : line.trim() === ''),
  );
  const stop = end < 0 ? lines.length : end;
  const expected = lines.slice(start, stop).map((line) => `${line}\n`);
  return { expected: expected.join(''), next: stop + (doubled ? 2 : 1) };
}

function parseCommand(head: string, line: number): { command: string; args: Argument[] } {
  const command = /^\S+/.exec(head)?.[0] ?? '';
  const args: Argument[] = [];
  let rest = head.slice(command.length).trim();
  while (rest !== '') {
    const match = /^([^\s=]+)(?:=(\(((?:[^()]|\([^()]*\))*)\)|\S*))?/.exec(rest);
    if (match === null) throw new Error(`line ${line}: cannot read '${rest}'`);
    const [whole, key = '', value, list] = match;
    args.push({ key, values: valuesOf(value, list) });
    rest = rest.slice(whole.length).trim();
  }
  return { command, args };
}

function valuesOf(value: string | undefined, list: string | undefined): readonly string[] {
  if (value === undefined) return [];
  return list === undefined ? [value] : list.split(',').map((item) => item.trim());
}

/** Arguments without a value: `campaign 1`. */
export function plainKeys({ args }: Directive): readonly string[] {
  return args.filter(({ values }) => values.length === 0).map(({ key }) => key);
}

/** The numbers among them; members count from 1. */
export function plainNumbers(directive: Directive): readonly number[] {
  return plainKeys(directive).map(toNumber);
}

export function valuesNamed({ args }: Directive, name: string): readonly string[] {
  return args.flatMap(({ key, values }) => (key === name ? values : []));
}

export function toNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`'${text}' is not a number`);
  return Number(text);
}

export function toBoolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error(`'${text}' is not true or false`);
  return text === 'true';
}
