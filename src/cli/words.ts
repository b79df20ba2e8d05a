/**
 * Splits a line into words as a POSIX shell would (2.2 Quoting), and does nothing else a
 * shell does: no variables, no globs, no substitution, no operators.
 */
import { WnError } from '../core/errors.js';

// A run of anything plain, a single-quoted or double-quoted part, or an escaped character.
const PART = /[^\s'"\\]+|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|(\s+)/gy;

const QUOTING = /['"\\]/;

/** Throws `usage` for an open quote. An escaped newline can't occur: lines have none. */
export function splitWords(line: string): string[] {
  if (!QUOTING.test(line)) return line.split(/\s+/).filter((word) => word !== '');
  const words: string[] = [];
  let word: string | undefined;
  let end = 0;
  PART.lastIndex = 0;
  for (let part = PART.exec(line); part !== null; part = PART.exec(line)) {
    end = PART.lastIndex;
    const [plain, single, double, escaped, blank] = part;
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    // Within double quotes a backslash is itself unless one of these follows.
    const text = single ?? double?.replace(/\\([\\"$`])/g, '$1') ?? escaped ?? plain;
    word = (word ?? '') + text;
  }
  if (end !== line.length) {
    throw new WnError('usage', 'a quote is not closed', {
      hint: 'write a JSON array of strings instead of shell words where quoting gets hard',
    });
  }
  if (word !== undefined) words.push(word);
  return words;
}
