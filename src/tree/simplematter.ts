/**
 * Front matter in its plainest spelling (`key: word`, a quoted string, a list of words, a
 * line each), read without the YAML library: that is nearly all there is, and a hundred
 * times faster. For any line beyond that it gives up, and the library reads the whole.
 * A test holds it to the library's reading.
 */
import type { Entry, Range, Style } from './frontmatter.js';
import type { FieldValue } from './field.js';
import { plainValue } from './yaml.js';

/** Starts no other node, and holds neither `: ` nor ` #`. */
const PLAIN = String.raw`-?[\p{L}\p{N}/](?:(?:[\p{L}\p{M}\p{N}_./+,;()'"!?&*@=~$%|<> -]|:(?! ))*[\p{L}\p{M}\p{N}_./+,;()'"!?&*@=~$%|<>-])?`;
const DOUBLE = String.raw`"([\p{L}\p{M}\p{N}\p{S} !#-'*-/:;?@[\]_{}()-]*)"`;
const SINGLE = String.raw`'([\p{L}\p{M}\p{N}\p{S} !-&*-/:;?@[\]_{}()\\-]*)'`;
const WORD = '[A-Za-z0-9][A-Za-z0-9_./-]*';
const LIST = String.raw`\[(${WORD}(?:, ${WORD})*)\]`;
const LINE = new RegExp(
  String.raw`^([A-Za-z_][A-Za-z0-9_-]{0,99}):(?:( +)(${PLAIN}|${DOUBLE}|${SINGLE}|${LIST}))?(?: *| +#[^\r]*)$`,
  'u',
);
const SKIPPED = /^(?:#[^\r]*)?$/;

/** Every entry of the lines in `content`, repeated ones too; null where it can't tell. */
export function simpleEntries(text: string, content: Range): readonly Entry[] | null {
  const entries: Entry[] = [];
  let [at] = content;
  while (at < content[1]) {
    const next = text.indexOf('\n', at) + 1;
    const line = text.slice(at, next - 1);
    if (!SKIPPED.test(line)) {
      const match = LINE.exec(line);
      if (match === null) return null;
      entries.push(entryOf(match, [at, next]));
    }
    at = next;
  }
  return entries;
}

function entryOf(match: RegExpExecArray, lineRange: Range): Entry {
  const [, key = '', lead = '', spelled = '', double, single, list] = match;
  const slotStart = lineRange[0] + key.length + 1;
  const valueStart = slotStart + lead.length;
  const valueEnd = valueStart + spelled.length;
  let value: FieldValue;
  let style: Style = 'plain';
  if (double !== undefined) [value, style] = [double, 'double'];
  else if (single !== undefined) [value, style] = [single, 'single'];
  else if (list !== undefined) [value, style] = [list.split(', ').map(plainValue), 'flow'];
  else value = plainValue(spelled);
  return {
    key,
    value,
    style,
    scalar: style !== 'flow',
    slot: [slotStart, valueEnd],
    valueRange: [valueStart, valueEnd],
    lineRange,
  };
}
