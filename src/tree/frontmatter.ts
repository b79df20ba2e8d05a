/**
 * The YAML front matter of a Markdown file: where it stands, which keys it has, and
 * which stretch of text spells each value. Offsets are UTF-16 units from the start of
 * the text, ranges `[start, end)`. Leaves out which keys are fields (`overlay.ts`).
 */
import { isMap, isScalar, type Pair, type YAMLMap } from 'yaml';
import { isFieldKey, type FieldValue } from './field.js';
import { simpleEntries } from './simplematter.js';
import { keyText, nodeValue, parseYaml } from './yaml.js';

export type Range = readonly [start: number, end: number];

/** How a value is spelled: as a scalar of that style, as a `[…]` or `{…}`, or as a block. */
export type Style = 'plain' | 'single' | 'double' | 'literal' | 'folded' | 'flow' | 'block';

/** A `key: value` on lines of its own. */
export interface Entry {
  readonly key: string;
  /** Undefined for what a field can't hold, or can't be replaced: anchors, aliases, tags. */
  readonly value: FieldValue | undefined;
  readonly style: Style;
  readonly scalar: boolean;
  /** From behind the colon to the end of the value: ` todo`. What an overlay replaces. */
  readonly slot: Range;
  /** The value alone; empty for a null that isn't spelled. */
  readonly valueRange: Range;
  /** Whole lines, with the comment and line end, and deeper comments right below. */
  readonly lineRange: Range;
}

/** `---`, lines, `---`. */
export interface Block {
  /** The lines between the fences. */
  readonly content: Range;
  /** Behind the closing fence. */
  readonly bodyStart: number;
  /** How far its keys are indented. */
  readonly indent: number;
  /** As its opening fence ends. */
  readonly newline: '\n' | '\r\n';
}

export type FrontMatter =
  | {
      readonly ok: true;
      /** Null: the text has no front matter. */
      readonly block: Block | null;
      /** The first of each key, in the order of the text. */
      readonly entries: readonly Entry[];
      /** Later ones of a key that has been: what concurrent additions leave behind. */
      readonly repeated: readonly Entry[];
    }
  | {
      readonly ok: false;
      /** What is wrong with it, and on which line of the text (from 1). */
      readonly why: string;
      readonly line: number;
      /** Behind its closing fence, or the end of the text if it has none. */
      readonly end: number;
    };

const NONE: FrontMatter = { ok: true, block: null, entries: [], repeated: [] };
const OPENING = /^---[ \t]*(\r?\n)/;
/** What follows an opening fence and is no prose, even where no closing fence comes. */
const KEY_LINE = /[ ]*[\w-]+:(?:[ \t]|\r?\n|$)/y;
const CLOSING = /---[ \t]*(?:\r?\n|$)/y;

/** Reads the front matter of a text without byte order mark. Never throws. */
export function parseFrontMatter(text: string): FrontMatter {
  const opening = text.startsWith('---') ? OPENING.exec(text) : null;
  if (opening === null) return NONE;
  const contentStart = opening[0].length;
  const closing = findClosing(text, contentStart);
  if (closing === null) {
    KEY_LINE.lastIndex = contentStart;
    return KEY_LINE.test(text)
      ? invalid(text, text.length, 0, 'its closing `---` is missing')
      : NONE;
  }
  const newline = opening[1] === '\r\n' ? '\r\n' : '\n';
  const [contentEnd, bodyStart] = closing;
  const block: Block = { content: [contentStart, contentEnd], bodyStart, indent: 0, newline };
  const simple = simpleEntries(text, block.content);
  return simple === null ? parseContent(text, block) : withEntries(block, simple);
}

/** The first line from `from` on that is a fence. */
function findClosing(text: string, from: number): Range | null {
  let at = from;
  while (at < text.length) {
    CLOSING.lastIndex = at;
    const fence = CLOSING.exec(text);
    if (fence !== null) return [at, at + fence[0].length];
    const next = text.indexOf('\n---', at);
    if (next < 0) return null;
    at = next + 1;
  }
  return null;
}

/** Comments that are indented; below a block scalar they would read as part of it. */
const COMMENTS = /(?:(?:[ \t]*\r?\n)*[ \t]+#.*\n)*/y;
const HALF_TYPED = /^\s*\S*\s*$/;

function parseContent(text: string, block: Block): FrontMatter {
  const [start, end] = block.content;
  const source = text.slice(start, end);
  const bad = (at: number, why: string): FrontMatter => invalid(text, block.bodyStart, at, why);
  const parsed = parseYaml(source);
  if (!parsed.ok) return bad(start + parsed.at, parsed.why);
  const { contents, directives } = parsed.doc;
  if (directives.docStart === true || directives.docEnd) {
    return bad(start, 'a YAML document marker within it');
  }
  if (contents === null) return { ok: true, block, entries: [], repeated: [] };
  // Prose between two thematic breaks is no front matter, but a key without its colon is.
  if (!isMap(contents)) return HALF_TYPED.test(source) ? bad(start, 'a key without a colon') : NONE;
  if (contents.flow === true) return bad(start, 'it is written in braces');
  if (contents.anchor !== undefined || contents.tag !== undefined) {
    return bad(start, 'an anchor or tag on the whole of it');
  }
  const map = contents as YAMLMap<unknown, unknown>;
  const all = map.items.map((pair) => readEntry(text, start, pair));
  return withEntries(
    { ...block, indent: indentOf(text, block, map) },
    all.filter((entry) => entry !== null),
  );
}

function invalid(text: string, end: number, at: number, why: string): FrontMatter {
  return { ok: false, why, line: text.slice(0, at).split('\n').length, end };
}

function withEntries(block: Block, all: readonly Entry[]): FrontMatter {
  const first = new Map<string, Entry>();
  for (const entry of all) if (!first.has(entry.key)) first.set(entry.key, entry);
  const repeated = all.filter((entry) => first.get(entry.key) !== entry);
  return { ok: true, block, entries: [...first.values()], repeated };
}

function indentOf(text: string, block: Block, map: YAMLMap<unknown, unknown>): number {
  const mapStart = block.content[0] + (map.range?.[0] ?? 0);
  return /^ */.exec(text.slice(text.lastIndexOf('\n', mapStart - 1) + 1))?.[0].length ?? 0;
}

/**
 * Null for a pair whose key isn't text. One that isn't `key: value` at the start of a line
 * (`? key`, `&a key: value`) has no value that could be replaced.
 */
function readEntry(text: string, base: number, pair: Pair<unknown, unknown>): Entry | null {
  if (!isScalar(pair.key) || !isFieldKey(String(pair.key.value))) return null;
  const key = String(pair.key.value);
  const keyStart = base + (pair.key.range?.[0] ?? 0);
  const lineStart = text.lastIndexOf('\n', keyStart - 1) + 1;
  const colon = pair.srcToken?.sep?.find((part) => part.type === 'map-value-ind');
  const isPlainPair =
    keyText(pair.key) !== undefined &&
    colon !== undefined &&
    text.slice(lineStart, keyStart).trim() === '' &&
    !isKept(text, base, pair.value);
  const slotStart = colon === undefined ? keyStart : base + colon.offset + 1;
  const [from, to] = (pair.value as { range?: Range | null } | null)?.range ?? [0, 0];
  const isEmpty = from === to;
  const valueStart = isEmpty ? slotStart : base + from;
  const valueEnd = isEmpty ? slotStart : endOfValue(text, base + to);
  COMMENTS.lastIndex = text.indexOf('\n', valueEnd) + 1;
  const lineEnd = COMMENTS.lastIndex + (COMMENTS.exec(text)?.[0].length ?? 0);
  return {
    key,
    value: isPlainPair ? nodeValue(pair.value) : undefined,
    style: styleOf(pair.value),
    scalar: isScalar(pair.value) || pair.value === null,
    slot: [slotStart, valueEnd],
    valueRange: [valueStart, valueEnd],
    lineRange: [lineStart, lineEnd],
  };
}

/** A block scalar that keeps its blank lines (`|+`) changes with the lines below it. */
function isKept(text: string, base: number, node: unknown): boolean {
  if (!isScalar(node) || node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE') return false;
  const start = base + (node.range?.[0] ?? 0);
  return /^[|>][0-9]?\+/.test(text.slice(start, start + 3));
}

/** Without the line end that belongs to a block. */
function endOfValue(text: string, end: number): number {
  if (text[end - 1] !== '\n') return end;
  return text[end - 2] === '\r' ? end - 2 : end - 1;
}

const STYLES = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single',
  QUOTE_DOUBLE: 'double',
  BLOCK_LITERAL: 'literal',
  BLOCK_FOLDED: 'folded',
} as const;

function styleOf(node: unknown): Style {
  if (!isScalar(node)) return (node as { flow?: boolean } | null)?.flow === true ? 'flow' : 'block';
  return STYLES[node.type ?? 'PLAIN'];
}
