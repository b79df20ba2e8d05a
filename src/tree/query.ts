/**
 * The language of `wn list`: `status=todo and labels~ci and due<7d`, `ready`, `"text"`.
 * A query is parsed once and then asked of each worknode; it holds no regular expression
 * of the user's, so it always takes time in proportion to what it looks at. Leaves out
 * where worknodes come from and what makes one ready.
 *
 *     query   = both *("or" both)
 *     both    = term *("and" term)
 *     term    = "not" term / "(" query ")" / quoted / state / key operator value
 *     state   = "ready" / "blocked" / "conflicted"
 */
import { WnError } from '../core/errors.js';
import { QUERY_BYTES_MAX, QUERY_DEPTH_MAX } from '../core/limits.js';
import { parseDate, parseSpan } from './dates.js';
import { compareValues, isList, isMap, isScalar, type FieldValue, type Scalar } from './field.js';
import { plainValue } from './yaml.js';

const STATES = ['ready', 'blocked', 'conflicted'] as const;
const OPERATORS = ['<=', '>=', '!=', '!~', '=', '<', '>', '~'] as const;

type State = (typeof STATES)[number];
type Operator = (typeof OPERATORS)[number];

/** A value as it was written, and what it may mean. */
interface Literal {
  readonly text: string;
  readonly value: Scalar;
  /** A time; relative to now if `isSpan`. In milliseconds. */
  readonly timeMs: number | null;
  readonly isSpan: boolean;
}

export type Query =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Query[] }
  | { readonly kind: 'not'; readonly part: Query }
  | { readonly kind: 'text'; readonly lowerText: string }
  | { readonly kind: 'state'; readonly state: State }
  | {
      readonly kind: 'compare';
      readonly key: string;
      readonly operator: Operator;
      readonly literal: Literal;
    };

/** What a query asks of a worknode. */
export interface QueryItem {
  readonly path: string;
  readonly name: string;
  readonly id: string;
  /** By the schema; null for none. */
  readonly type: string | null;
  readonly fields: ReadonlyMap<string, FieldValue>;
  /** The body; asked for only where the query looks into it. */
  text(): string;
  readonly ready: boolean;
  readonly blocked: boolean;
  readonly conflicted: boolean;
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'operator' | 'paren' | 'end';
  readonly text: string;
  /** From 1. */
  readonly column: number;
}

interface Parser {
  readonly tokens: readonly Token[];
  at: number;
  depth: number;
}

/** Throws `usage`: the column, what was expected there, and what stood there. */
export function parseQuery(text: string): Query {
  if (Buffer.byteLength(text) > QUERY_BYTES_MAX) {
    throw new WnError('usage', `the query is over ${QUERY_BYTES_MAX} bytes`, {
      hint: 'Ask for less at once.',
    });
  }
  const parser: Parser = { tokens: tokensOf(text), at: 0, depth: 0 };
  const query = parseChain(parser, 'or');
  if (peek(parser).kind !== 'end') throw expected(peek(parser), '`and`, `or` or the end');
  return query;
}

const TOKEN = /\s*(?:([()])|([<>!]=|!~|[=<>~])|"((?:[^"\\]|\\[^])*)"|([^\s()=!<>~"]+))/y;

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  let at = 0;
  while (at < end) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const column = at + (/\S/.exec(text.slice(at))?.index ?? 0) + 1;
    if (match === null) {
      const found = { kind: 'word', text: text[column - 1] ?? '', column } as const;
      throw expected(found, found.text === '"' ? 'a closing `"` after it' : 'a word');
    }
    const [, paren, operator, quoted, word] = match;
    if (paren !== undefined) tokens.push({ kind: 'paren', text: paren, column });
    else if (operator !== undefined) tokens.push({ kind: 'operator', text: operator, column });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, column });
    else tokens.push({ kind: 'quoted', text: (quoted ?? '').replace(/\\([^])/g, '$1'), column });
    at = TOKEN.lastIndex;
  }
  return [...tokens, { kind: 'end', text: '', column: end + 1 }];
}

function peek({ tokens, at }: Parser, ahead = 0): Token {
  return tokens[Math.min(at + ahead, tokens.length - 1)] as Token;
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text.toLowerCase() === word;
}

function parseChain(parser: Parser, kind: 'and' | 'or'): Query {
  const parts: Query[] = [];
  do {
    parts.push(kind === 'or' ? parseChain(parser, 'and') : parseTerm(parser));
  } while (isWord(peek(parser), kind) && parser.at++ >= 0);
  return parts.length === 1 ? (parts[0] as Query) : { kind, parts };
}

function parseTerm(parser: Parser): Query {
  const token = peek(parser);
  if (++parser.depth > QUERY_DEPTH_MAX) throw expected(token, 'fewer parentheses and `not`s');
  const query = parseNested(parser, token) ?? parseLeaf(parser, token);
  parser.depth--;
  return query;
}

function parseNested(parser: Parser, token: Token): Query | null {
  const isKey = peek(parser, 1).kind === 'operator';
  if (isWord(token, 'not') && !isKey) {
    parser.at++;
    return { kind: 'not', part: parseTerm(parser) };
  }
  if (token.kind !== 'paren' || token.text !== '(') return null;
  parser.at++;
  const query = parseChain(parser, 'or');
  if (peek(parser).text !== ')' || peek(parser).kind !== 'paren')
    throw expected(peek(parser), '`)`');
  parser.at++;
  return query;
}

function parseLeaf(parser: Parser, token: Token): Query {
  if (token.kind !== 'word' && token.kind !== 'quoted') {
    throw expected(token, 'a field, `"text"`, ready, blocked, conflicted, `not` or `(`');
  }
  parser.at++;
  const operator = OPERATORS.find((each) => each === peek(parser).text);
  if (operator !== undefined && peek(parser).kind === 'operator') {
    parser.at++;
    return { kind: 'compare', key: token.text, operator, literal: parseLiteral(parser) };
  }
  if (token.kind === 'quoted') return { kind: 'text', lowerText: token.text.toLowerCase() };
  const state = STATES.find((each) => each === token.text);
  if (state !== undefined) return { kind: 'state', state };
  throw expected(peek(parser), `=, !=, <, <=, >, >=, ~ or !~ after \`${token.text}\``);
}

function parseLiteral(parser: Parser): Literal {
  const token = peek(parser);
  if (token.kind !== 'word' && token.kind !== 'quoted') throw expected(token, 'a value');
  parser.at++;
  if (token.kind === 'quoted') {
    return { text: token.text, value: token.text, timeMs: parseDate(token.text), isSpan: false };
  }
  const isPast = isWord(peek(parser), 'ago');
  if (isPast) parser.at++;
  const text = isPast ? `${token.text} ago` : token.text;
  const spanMs = parseSpan(text);
  if (isPast && spanMs === null) throw expected(token, 'a span like 2h before `ago`');
  return {
    text,
    value: plainValue(text),
    timeMs: spanMs ?? parseDate(text),
    isSpan: spanMs !== null,
  };
}

function expected(token: Token, what: string): WnError {
  const found = token.kind === 'end' ? 'it ends there' : `there stands \`${token.text}\``;
  return new WnError('usage', `query, column ${token.column}: expected ${what}; ${found}`, {
    hint: 'For example: status=todo and (labels~ci or due<7d) and not blocked',
  });
}

/** Whether the query holds of `item` at the time `nowMs`. */
export function matches(query: Query, item: QueryItem, nowMs: number): boolean {
  switch (query.kind) {
    case 'and':
      return query.parts.every((part) => matches(part, item, nowMs));
    case 'or':
      return query.parts.some((part) => matches(part, item, nowMs));
    case 'not':
      return !matches(query.part, item, nowMs);
    case 'state':
      return item[query.state];
    case 'text':
      return holds(item.name, query.lowerText) || holds(item.text(), query.lowerText);
    case 'compare':
      return compare(valueOf(item, query.key), query.operator, query.literal, nowMs);
  }
}

/** A field of that name; else what every worknode has. */
function valueOf(item: QueryItem, key: string): FieldValue {
  if (key === 'path' || key === 'id') return item[key];
  const field = item.fields.get(key);
  if (field !== undefined) return field;
  if (key === 'name' || key === 'type') return item[key];
  const state = STATES.find((each) => each === key);
  return state === undefined ? null : item[state];
}

/** A missing field is null, and so is an empty list. Of a list, one element is enough. */
function compare(value: FieldValue, operator: Operator, literal: Literal, nowMs: number): boolean {
  switch (operator) {
    case '!=':
      return !compare(value, '=', literal, nowMs);
    case '!~':
      return !compare(value, '~', literal, nowMs);
    case '~':
      return contains(value, literal);
    case '=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const elements = !isList(value) ? [value] : value.length === 0 ? [null] : value;
      return elements.some((element) => holdsOrder(element, operator, literal, nowMs));
    }
  }
}

/** A list has the element, a mapping the key, a text the words; case counts for nothing. */
function contains(value: FieldValue, { text }: Literal): boolean {
  const lower = text.toLowerCase();
  if (isMap(value)) return value.has(text);
  if (isScalar(value)) return value !== null && holds(String(value), lower);
  return value.some((element) => isScalar(element) && String(element).toLowerCase() === lower);
}

function holds(text: string, lower: string): boolean {
  return text.toLowerCase().includes(lower);
}

function holdsOrder(
  value: FieldValue,
  operator: '=' | '<' | '<=' | '>' | '>=',
  literal: Literal,
  nowMs: number,
): boolean {
  if (operator === '=' && value === literal.text) return true;
  if (value === null) return operator === '=' && literal.value === null;
  const order = orderOf(value, literal, nowMs);
  switch (operator) {
    case '=':
      return order === 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** As times where both are, else as values of one kind; NaN (no order) between kinds. */
function orderOf(value: FieldValue, literal: Literal, nowMs: number): number {
  const timeMs = typeof value === 'string' ? parseDate(value) : null;
  if (timeMs !== null && literal.timeMs !== null) {
    return timeMs - (literal.isSpan ? nowMs + literal.timeMs : literal.timeMs);
  }
  if (literal.isSpan) return Number.NaN;
  const other = typeof value === 'string' ? literal.text : literal.value;
  return typeof other === typeof value ? compareValues(value, other) : Number.NaN;
}
