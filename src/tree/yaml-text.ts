/**
 * Writing values as YAML 1.2: one spelling for each value, plain where that reads back
 * as the same value, else quoted. Lists and maps are written in flow style, or as the
 * block that a file had before. Map keys are sorted, so equal values are spelled alike.
 */
import { isList, isMap, sortedEntries, type FieldValue, type Scalar } from './field.js';
import { plainValue } from './yaml.js';

export type Quote = 'plain' | 'single' | 'double';

/** How a longer key has to be marked in a flow map (the library's bound is 1,024). */
const IMPLICIT_KEY_CHARS_MAX = 1_000;

/** In flow style, in one line. `quote` is the style of the strings, where it is possible. */
export function flowText(value: FieldValue, quote: Quote = 'plain'): string {
  return isList(value) || isMap(value) ? collectionText(value) : scalarText(value, false, quote);
}

function collectionText(value: FieldValue): string {
  if (isList(value)) return `[${value.map(partText).join(', ')}]`;
  if (!isMap(value)) return scalarText(value, true, 'plain');
  const pairs = sortedEntries(value).map(([key, part]) => {
    const spelled = scalarText(key, true, 'plain', true);
    const mark = spelled.length > IMPLICIT_KEY_CHARS_MAX ? '? ' : '';
    return `${mark}${spelled}: ${partText(part)}`;
  });
  return `{${pairs.join(', ')}}`;
}

function partText(value: FieldValue): string {
  return isList(value) || isMap(value) ? collectionText(value) : scalarText(value, true, 'plain');
}

/** One `- element` a line, joined by `newline`; null for the empty list, which has no block. */
export function blockListText(list: readonly FieldValue[], indent: number): string | null {
  if (list.length === 0) return null;
  return list.map((element) => `- ${flowText(element)}`).join(`\n${' '.repeat(indent)}`);
}

const LITERAL_SAFE = /^[^\s\p{C}][\n\p{L}\p{M}\p{N}\p{P}\p{S} ]*[^\s\p{C}]\n?$/u;

/**
 * A literal block (`|`) with its lines indented by `indent`, without its last line end;
 * null for a string that such a block doesn't hold as it is.
 */
export function literalText(text: string, indent: number): string | null {
  if (!LITERAL_SAFE.test(text)) return null;
  const header = text.endsWith('\n') ? '|' : '|-';
  const lines = text.replace(/\n$/, '').split('\n');
  const margin = ' '.repeat(indent);
  return [header, ...lines.map((line) => (line === '' ? '' : margin + line))].join('\n');
}

/** A key of a block map. */
export function keySpelling(key: string): string {
  return scalarText(key, false, 'plain', true);
}

/** `isKey`: any spelling reads as text, so that `1` needs no quotes. */
function scalarText(value: Scalar, inFlow: boolean, quote: Quote, isKey = false): string {
  if (typeof value !== 'string') return String(value);
  if (quote === 'single' && isPrintable(value)) return `'${value.replaceAll("'", "''")}'`;
  if (quote === 'plain' && isPlainSafe(value, inFlow) && (isKey || plainValue(value) === value)) {
    return value;
  }
  return doubleQuoted(value);
}

const ESCAPED = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/gu;

/** A JSON string is a double-quoted scalar, once what YAML calls unprintable is escaped. */
function doubleQuoted(text: string): string {
  return JSON.stringify(text).replace(
    ESCAPED,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/u;

function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text);
}

const NOT_FIRST = /^[-?:,[\]{}#&*!|>'"%@`\s]|^\.\.\.|^[=<]$/;
const NOT_INSIDE = /: | #|:$|\s$/;
const NOT_IN_FLOW = /[,[\]{}]|:/;

/** Narrower than YAML's rule for plain scalars: rather a needless quote than a wrong one. */
function isPlainSafe(text: string, inFlow: boolean): boolean {
  if (text === '' || NOT_FIRST.test(text) || NOT_INSIDE.test(text)) return false;
  return isPrintable(text) && !(inFlow && NOT_IN_FLOW.test(text));
}
