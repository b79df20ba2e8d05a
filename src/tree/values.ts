/**
 * Assignments of the command line (`K=V`, `K=`, `K+=V`, `K-=V`, `K++`, `K--`) as changes
 * of fields. What a value is follows the schema, then the field as it is, then its look.
 */
import { WnError } from '../core/errors.js';
import { asField, compareValues, type Field, type FieldShown, type FieldValue } from './field.js';
import { isFieldKey } from './field.js';
import type { FieldEdits } from './readback.js';
import type { Schema } from './schema.js';

interface Assignment {
  readonly key: string;
  readonly operator: '=' | '+=' | '-=' | '++' | '--';
  readonly text: string;
}

const PATTERN = /^(?<key>[^=+\s-](?:[^=+\s-]|[+-](?![+=-]))*)(?:(?<step>\+\+|--)|(?<operator>\+=|-=|=)(?<text>[\s\S]*))$/u;

/** Throws `usage`. */
export function parseAssignment(argument: string): Assignment {
  const groups = PATTERN.exec(argument)?.groups;
  const key = groups?.['key'] ?? '';
  if (groups === undefined || !isFieldKey(key)) {
    throw new WnError('usage', `not an assignment: ${argument}`, {
      hint: 'write K=V, K= to take it away, K+=V, K-=V, K++ or K--',
    });
  }
  const operator = (groups['step'] ?? groups['operator']) as Assignment['operator'];
  return { key, operator, text: groups['text'] ?? '' };
}

/**
 * What assignments make of the fields of the worknode at `path`. Throws `usage` for what
 * is no assignment, `invalid` for a value that the schema refuses.
 */
export function applyAssignments(
  assignments: readonly string[],
  before: ReadonlyMap<string, FieldShown>,
  schema: Schema,
  path: string,
  type: string | null,
): FieldEdits {
  const set = new Map<string, Field>();
  const unset = new Set<string>();
  for (const assignment of assignments.map(parseAssignment)) {
    const { key } = assignment;
    const now = set.get(key) ?? (unset.has(key) ? 'unset' : before.get(key));
    const next = assigned(assignment, now, schema, path);
    if (next === null) {
      set.delete(key);
      unset.add(key);
      continue;
    }
    schema.check(path, type, key, next.value, before.get(key));
    unset.delete(key);
    set.set(key, next);
  }
  return { set, unset };
}

function assigned(
  { key, operator, text }: Assignment,
  now: FieldShown | undefined,
  schema: Schema,
  path: string,
): Field | null {
  const declared = schema.crdtOf(path, key);
  const shown = now === 'unset' ? undefined : now;
  switch (operator) {
    case '=':
      if (text === '') return null;
      return asField(parseValue(text, textual(schema, path, key)), declared ?? shown?.crdt ?? 'register');
    case '++':
    case '--': {
      const count = shown?.crdt === 'counter' ? shown.value : Number(shown?.value ?? 0);
      if (!Number.isSafeInteger(count)) throw notCountable(key);
      return { crdt: 'counter', value: count + (operator === '++' ? 1 : -1) };
    }
    case '+=':
    case '-=': {
      const had = shown === undefined ? [] : Array.isArray(shown.value) ? (shown.value as readonly FieldValue[]) : [shown.value as FieldValue];
      const value = parseValue(text, textual(schema, path, key));
      const others = had.filter((each) => compareValues(each, value) !== 0);
      return { crdt: 'set', value: operator === '+=' ? [...others, value] : others };
    }
  }
}

function notCountable(key: string): WnError {
  return new WnError('invalid', `${key} is not a number that can be counted`, {
    hint: 'nothing was changed; set it with K=V first',
  });
}

/** Declared as text: digits stay text. */
function textual(schema: Schema, path: string, key: string): boolean {
  return schema.typeOf(path)?.fields.get(key)?.kind === 'string';
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** `true`, `null`, numbers, `"text"`, JSON lists and objects; anything else is text. */
export function parseValue(text: string, textOnly = false): FieldValue {
  if (textOnly) return text;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  if (NUMBER.test(text) && Number.isFinite(Number(text)) && isExact(text)) return Number(text);
  if (/^["[{]/.test(text)) {
    try {
      return fromJson(JSON.parse(text) as unknown);
    } catch {
      return text; // not JSON: text that begins like it
    }
  }
  return text;
}

/** An integer beyond 2^53 stays text: it would lose digits. */
function isExact(text: string): boolean {
  return !/^-?\d+$/.test(text) || Number.isSafeInteger(Number(text));
}

function fromJson(value: unknown): FieldValue {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, item]) => [key, fromJson(item)]));
  }
  return value as FieldValue;
}
