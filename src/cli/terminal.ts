/**
 * Makes text from outside safe to show: a name, a commit message or a peer's error
 * must not move the cursor, change colours, or reorder what the reader sees
 * (CVE-2021-42574, "Trojan Source"). It doesn't measure or wrap text.
 */

// C0 and C1 controls and DEL; the bidirectional embeddings, overrides and isolates; the two
// Unicode line ends; and lone surrogates, which no encoder can write. (Written out: a class
// like \p{Surrogate} has V8 load Unicode's tables, five milliseconds at each start.)
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const SUSPECT = /[^\u0020-\u007e]/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** One line of safe text: control characters, line ends and direction changes become escapes. */
export function escapeTerminal(text: string): string {
  return SUSPECT.test(text) ? text.replace(UNSAFE, escapeCharacter) : text;
}

/** As `escapeTerminal`, for text of several lines: newlines and tabs stay. */
export function escapeBlock(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  );
}
