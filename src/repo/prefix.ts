/**
 * Ids as people write them: any beginning of a printed id that is unique here. Leaves
 * out whether a word is an id at all, rather than a path.
 */
import { toHex } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import { showId, type NodeId } from '../core/ids.js';
import { ID_PREFIX_CHARS_MIN, ID_PREFIX_MATCHES_MAX } from '../core/limits.js';
import type { CommitRef, History } from './history.js';
import { key, type Tables } from './index/tables.js';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const BITS = 5;
/** Of a commit's id; a worknode's has half of that. */
const ID_HEX_DIGITS = 64;

/** Whether a word can be the beginning of a printed id, and is long enough to count. */
export function isIdPrefix(word: string): boolean {
  return word.length >= ID_PREFIX_CHARS_MIN && [...word].every((char) => ALPHABET.includes(char));
}

/** The commit whose id begins so; null if none does. Throws `invalid` for several. */
export function commitByPrefix(history: History, word: string): CommitRef | null {
  const found = history
    .findByPrefix(hexOf(word), ID_PREFIX_MATCHES_MAX)
    .map((ref) => ({ ref, id: showId(history.record(ref)?.id ?? '') }))
    .filter(({ id }) => id.startsWith(word));
  return onlyOne(word, 'commits', found)?.ref ?? null;
}

/** The worknode whose id begins so, shown or not; null if none does. Throws `invalid` for several. */
export function nodeByPrefix(tables: Tables, word: string): NodeId | null {
  const hex = hexOf(word);
  const found: { readonly node: NodeId; readonly id: string }[] = [];
  const keys = key.table('node') + hex.slice(0, hex.length - (hex.length % 2));
  for (const [at] of tables.prefix(keys)) {
    const node = at.slice(2);
    const id = showId(node);
    if (id.startsWith(word)) found.push({ node, id });
    if (found.length >= ID_PREFIX_MATCHES_MAX) break;
  }
  return onlyOne(word, 'worknodes', found)?.node ?? null;
}

/** The hex digits that the characters of a printed id stand for, without those begun or padded. */
function hexOf(word: string): string {
  let bits = '';
  for (const char of word) bits += ALPHABET.indexOf(char).toString(2).padStart(BITS, '0');
  const bytes = new Uint8Array(Math.ceil(bits.length / 8)).map((_, index) =>
    parseInt(bits.slice(index * 8, index * 8 + 8).padEnd(8, '0'), 2),
  );
  return toHex(bytes).slice(0, Math.min(ID_HEX_DIGITS, Math.floor(bits.length / 4)));
}

function onlyOne<T extends { readonly id: string }>(
  word: string,
  what: string,
  found: readonly T[],
): T | undefined {
  if (found.length <= 1) return found[0];
  const examples = found.slice(0, 3).map(({ id }) => id.slice(0, word.length + 4));
  throw new WnError('invalid', `${word} is the beginning of several ${what}`, {
    hint: `write more of it: ${examples.join(', ')}`,
  });
}
