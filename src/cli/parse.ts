/**
 * Parses a command's line with oclif's parser. What that parser costs grows with the
 * flags it is given (65 µs for a dozen, 10 µs for none), and a batch parses thousands of
 * lines a second; so each line is parsed with only those flags that it can mention, the
 * rest get their defaults, and a line without flags isn't parsed at all. Three habits of the parser are turned off: a missing
 * argument is never read from stdin, a repeatable flag takes one value each time, and
 * `--constructor` isn't a flag.
 */
import { parse as oclifParse } from '@oclif/core/parser';
import type { ArgInput, FlagInput } from '@oclif/core/interfaces';

import { toUsageError } from './failure.js';

export interface Parsable {
  id: string;
  readonly args: ArgInput;
  readonly flags: FlagInput;
  readonly baseFlags: FlagInput;
}

export interface ParsedLine {
  readonly args: Record<string, unknown>;
  readonly flags: Record<string, unknown>;
}

interface Spec {
  readonly args: ArgInput;
  readonly flags: FlagInput;
  /** Flags that have to take part in every parse: required ones and those with rules. */
  readonly always: readonly string[];
  readonly byChar: ReadonlyMap<string, string>;
  readonly byWord: ReadonlyMap<string, string>;
  readonly defaults: readonly (readonly [name: string, value: unknown])[];
  /** The arguments, if each is a plain word or list of words; else null. */
  readonly words: readonly WordSpec[] | null;
}

interface WordSpec {
  readonly name: string;
  readonly required: boolean;
  readonly multiple: boolean;
}

const specs = new WeakMap<Parsable, Spec>();

function specOf(command: Parsable): Spec {
  let spec = specs.get(command);
  if (spec === undefined) specs.set(command, (spec = buildSpec(command)));
  return spec;
}

function buildSpec(command: Parsable): Spec {
  const args: ArgInput = {};
  for (const [name, arg] of Object.entries(command.args)) {
    args[name] = { ...arg, ignoreStdin: true };
  }
  // Without a prototype: the parser looks flags up by what stands on the line.
  const flags = Object.create(null) as FlagInput;
  const always: string[] = [];
  const byChar = new Map<string, string>();
  const byWord = new Map<string, string>();
  const defaults: [string, unknown][] = [];
  for (const [name, flag] of Object.entries({ ...command.baseFlags, ...command.flags })) {
    flags[name] = flag.type === 'option' ? { ...flag, multipleNonGreedy: true } : { ...flag };
    for (const char of [flag.char, ...(flag.charAliases ?? [])]) {
      if (char !== undefined) byChar.set(char, name);
    }
    for (const word of [name, ...(flag.aliases ?? [])]) byWord.set(word, name);
    if (
      flag.required === true ||
      flag.exactlyOne !== undefined ||
      flag.atLeastOne !== undefined ||
      flag.env !== undefined ||
      typeof flag.default === 'function'
    ) {
      always.push(name);
    } else if (flag.default !== undefined) {
      defaults.push([name, flag.default]);
    } else if (flag.type === 'boolean' && !flag.allowNo) {
      defaults.push([name, false]);
    }
  }
  return { args, flags, always, byChar, byWord, defaults, words: wordsOf(args) };
}

function wordsOf(args: ArgInput): readonly WordSpec[] | null {
  const all = Object.entries(args);
  if (all.some(([, arg]) => arg.options !== undefined || arg.default !== undefined)) return null;
  return all.map(([name, arg]) => ({
    name,
    required: arg.required === true,
    multiple: arg.multiple === true,
  }));
}

/**
 * The arguments of a line without any flag, which needs no parser; null for a line that
 * does, and for one that is wrong: the parser says how.
 */
function plainArgs(
  { always, words }: Spec,
  argv: readonly string[],
): Record<string, unknown> | null {
  if (words === null || always.length > 0 || argv.some((token) => token.startsWith('-'))) {
    return null;
  }
  const args: Record<string, unknown> = {};
  let next = 0;
  for (const { name, required, multiple } of words) {
    const given = multiple ? argv.slice(next) : argv.slice(next, next + 1);
    if (given.length === 0 && required) return null;
    if (given.length > 0) args[name] = multiple ? given : given[0];
    next += given.length;
  }
  return next === argv.length ? args : null;
}

/** The flags that a line may mention; more than it does mention does no harm. */
function mentioned(spec: Spec, argv: readonly string[]): FlagInput {
  const flags = Object.create(null) as FlagInput;
  const add = (name: string | undefined): void => {
    const flag = name === undefined ? undefined : spec.flags[name];
    if (name !== undefined && flag !== undefined) flags[name] = flag;
  };
  for (const name of spec.always) add(name);
  for (const token of argv) {
    if (!token.startsWith('-')) continue;
    if (token.startsWith('--')) {
      const end = token.indexOf('=');
      const word = token.slice(2, end === -1 ? undefined : end);
      add(spec.byWord.get(word));
      if (word.startsWith('no-')) add(spec.byWord.get(word.slice(3)));
    } else {
      // A cluster (`-qm`) unfolds into one flag after the other.
      for (const char of token.slice(1)) add(spec.byChar.get(char));
    }
  }
  return flags;
}

/** The parser keeps some of its tables in plain objects, in which `--constructor` is found. */
function rejectPrototypeNames(argv: readonly string[]): void {
  for (const token of argv) {
    if (token === '--') return;
    const name = token.startsWith('--') ? token.slice(2).split('=', 1)[0] : undefined;
    if (name !== undefined && name in Object.prototype) {
      throw Object.assign(new Error('unknown flag'), { flags: [token] });
    }
  }
}

/** Throws `WnError('usage')`, or what a flag's own `parse` throws. */
export async function parseLine(command: Parsable, argv: readonly string[]): Promise<ParsedLine> {
  const spec = specOf(command);
  const plain = plainArgs(spec, argv);
  if (plain !== null) return { args: plain, flags: Object.fromEntries(spec.defaults) };
  let parsed;
  try {
    rejectPrototypeNames(argv);
    parsed = await oclifParse([...argv], {
      args: spec.args,
      flags: mentioned(spec, argv),
      strict: true,
    });
  } catch (error) {
    const words = [...spec.byWord.keys()].map((word) => `--${word}`);
    throw toUsageError(error, command.id, words);
  }
  const flags: Record<string, unknown> = parsed.flags;
  for (const [name, value] of spec.defaults) {
    if (flags[name] === undefined) flags[name] = value;
  }
  return { args: parsed.args, flags };
}
