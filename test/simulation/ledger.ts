/**
 * What people wrote, so that nothing of it can get lost unseen: every line that a user
 * types begins with a token that no other line has. A token may be missing in the end
 * only if somebody took it away who had it before his eyes. A token is one character of
 * Unicode's private use, so that no merge can tear it.
 */
const TOKEN = /[\u{f0000}-\u{ffffd}]/gu;
const FIRST = 0xf0000;
/** Private use, too; longer than two of the words that lines are made of. */
const OWN = /[\u{100000}-\u{10fffd}]+/gu;
const OWN_FIRST = 0x100000;
const OWN_CHARS = 40;

export class Ledger {
  private count = 0;
  private readonly written = new Set<string>();
  private readonly taken = new Set<string>();
  /** Typed on purpose in several places, as by a copy of a file. */
  private readonly repeated = new Set<string>();

  /** A new token; it counts once it is saved. */
  fresh(): string {
    this.count += 1;
    return String.fromCodePoint(FIRST + this.count);
  }

  /**
   * A new token with enough behind it that is only this line's: a diff that takes another
   * line with the same words for this one would take the token out and put it in again.
   */
  freshLine(): string {
    const token = this.fresh();
    return token + String.fromCodePoint(OWN_FIRST + this.count).repeat(OWN_CHARS);
  }

  /** A user who saw `before` saved `after` in its place. */
  replaced(before: string, after: string): void {
    const kept = tokensIn(after);
    for (const token of kept) this.written.add(token);
    for (const token of tokensIn(before)) if (!kept.has(token)) this.taken.add(token);
  }

  copied(text: string): void {
    for (const token of tokensIn(text)) this.repeated.add(token);
  }

  /** Tokens that must be somewhere and aren't in `texts`. */
  missingIn(texts: Iterable<string>): readonly string[] {
    const found = new Set<string>();
    for (const text of texts) for (const token of tokensIn(text)) found.add(token);
    return [...this.written]
      .filter((token) => !this.taken.has(token) && !found.has(token))
      .map(nameOf);
  }

  /** Tokens that one text has twice, though nobody typed them so. */
  doubledIn(text: string): readonly string[] {
    const seen = new Set<string>();
    const doubled = tokensOf(text).filter((token) => {
      const again = seen.has(token);
      seen.add(token);
      return again;
    });
    return doubled.filter((token) => !this.repeated.has(token)).map(nameOf);
  }
}

function tokensIn(text: string): ReadonlySet<string> {
  return new Set(tokensOf(text));
}

/** In the order of the text, each as often as it is there. */
export function tokensOf(text: string): readonly string[] {
  return text.match(TOKEN) ?? [];
}

/** As it reads in a report: `§12`. */
function nameOf(token: string): string {
  return `§${(token.codePointAt(0) ?? 0) - FIRST}`;
}

/** A text with its tokens fit to be printed, and without what only makes lines unlike each other. */
export function readable(text: string): string {
  return text.replace(OWN, '').replace(TOKEN, nameOf);
}
