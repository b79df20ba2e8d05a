/**
 * Assignments of the command line (`K=V`, `K=`, `K+=V`, `K-=V`, `K++`, `K--`) as changes
 * of fields. A value is read as the front matter of a file would read it, so `wn set` and
 * an editor mean the same. Leaves out operations (`fieldops.ts`).
 */
import { WnError } from '../core/errors.js';
import {
  asField,
  equalValues,
  isFieldKey,
  type Crdt,
  type Field,
  type FieldShown,
  type FieldValue,
} from './field.js';
import { crdtOfKind, type FieldKind } from './fieldspec.js';
import type { FieldEdits } from './readback.js';
import type { Schema } from './schema.js';
import { nodeValue, parseYaml, plainValue } from './yaml.js';

export interface Assignment {
  readonly key: string;
  readonly operator: '=' | '+=' | '-=' | '++' | '--';
  readonly text: string;
}

const STEP = /^([^=]+?)(\+\+|--)$/;

/** Throws `usage` for what is no assignment. The first `=` ends the key. */
export function parseAssignment(argument: string): Assignment {
  const equals = argument.indexOf('=');
  const [, counted = '', step] = STEP.exec(argument) ?? [];
  if (step === '++' || step === '--') return checked(argument, counted, step, '');
  const sign = argument[equals - 1];
  const text = argument.slice(equals + 1);
  if (equals < 0) throw notAnAssignment(argument);
  if (sign !== '+' && sign !== '-') return checked(argument, argument.slice(0, equals), '=', text);
  if (text === '') throw notAnAssignment(argument);
  return checked(argument, argument.slice(0, equals - 1), `${sign}=`, text);
}

function checked(
  argument: string,
  key: string,
  operator: Assignment['operator'],
  text: string,
): Assignment {
  if (!isFieldKey(key) || key.trim() !== key) throw notAnAssignment(argument);
  return { key, operator, text };
}

function notAnAssignment(argument: string): WnError {
  return new WnError('usage', `not an assignment: ${argument}`, {
    hint: 'Write K=V, K= to take K away, K+=V and K-=V for a set, K++ and K-- for a counter.',
  });
}

/**
 * What assignments, done in order, make of the fields of the worknode at `path` (or of
 * the type `type`, if given). Throws `usage` for what is no assignment, `invalid` for a
 * value that the schema refuses or that doesn't fit the field.
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
    const shown = unset.has(key) ? 'unset' : (set.get(key) ?? before.get(key) ?? 'unset');
    const kind = schema.fieldOf(path, type, key)?.kind ?? null;
    const next = assigned(assignment, shown === 'unset' ? null : shown, kind);
    if (next === null) {
      set.delete(key);
      unset.add(key);
    } else {
      schema.check(path, type, key, next.value, before.get(key));
      unset.delete(key);
      set.set(key, next);
    }
  }
  return { set, unset };
}

/** Null takes the field away. */
function assigned(
  { key, operator, text }: Assignment,
  now: Field | null,
  kind: FieldKind | null,
): Field | null {
  const crdt = kind === null ? (now?.crdt ?? null) : crdtOfKind(kind);
  switch (operator) {
    case '=':
      return text === '' ? null : asField(parseValue(text, kind), crdt ?? 'register');
    case '++':
      return counted(key, now, kind, 1);
    case '--':
      return counted(key, now, kind, -1);
    case '+=':
    case '-=': {
      const value = parseValue(text, kind === 'refs' ? 'string' : null);
      if (crdt !== 'counter') return withElement(key, operator, now, value, kind);
      if (!Number.isSafeInteger(value)) throw unfit(key, `${text} is no whole number`);
      return counted(key, now, kind, operator === '+=' ? Number(value) : -Number(value));
    }
  }
}

/** A whole number that no type claims becomes a counter: it is counted now. */
function counted(key: string, now: Field | null, kind: FieldKind | null, by: number): Field {
  const count = now?.value ?? 0;
  if (typeof count !== 'number' || !Number.isSafeInteger(count + by)) {
    throw unfit(key, 'it holds no whole number');
  }
  const crdt: Crdt = kind === null ? 'counter' : crdtOfKind(kind);
  return asField(count + by, crdt);
}

/** A field that no type claims becomes a set. */
function withElement(
  key: string,
  operator: '+=' | '-=',
  now: Field | null,
  value: FieldValue,
  kind: FieldKind | null,
): Field {
  if (kind !== null && crdtOfKind(kind) !== 'set') throw unfit(key, `wn.yaml has it as a ${kind}`);
  if (typeof now?.value === 'number') throw unfit(key, 'it holds a number');
  const had = asField(now?.value ?? null, 'set');
  if (had.crdt !== 'set') throw unfit(key, 'it holds a mapping');
  const others = had.value.filter((element) => !equalValues(element, value));
  return { crdt: 'set', value: operator === '+=' ? [...others, value] : others };
}

function unfit(key: string, why: string): WnError {
  return new WnError('invalid', `${key} can't be changed so: ${why}; nothing was changed`, {
    hint: `Write ${key}=V to set it as a whole.`,
  });
}

const QUOTED = /^(?:"[^]*"|'[^]*')$/;
const BRACKETED = /^(?:\[[^]*\]|\{[^]*\})$/;

/**
 * Reads a value: `true`, `null` and numbers as such, `"text"`, `[a, b]` and `{k: v}` as
 * YAML; anything else is text as it stands. Text for a field declared so stays text, and
 * commas part the elements of a declared set. Throws `invalid` for quotes and brackets
 * that make no sense.
 */
export function parseValue(text: string, kind: FieldKind | null = null): FieldValue {
  if (QUOTED.test(text)) return parseEnclosed(text);
  if (kind === 'string') return text;
  if (BRACKETED.test(text)) return parseEnclosed(text);
  if (kind !== 'set' && kind !== 'refs') return plainValue(text);
  const words = text.split(',').map((word) => word.trim());
  const elements = words.filter((word) => word !== '');
  return kind === 'refs' ? elements : elements.map(plainValue);
}

function parseEnclosed(text: string): FieldValue {
  const parsed = parseYaml(text);
  const value = parsed.ok ? nodeValue(parsed.doc.contents) : undefined;
  if (value !== undefined) return value;
  throw new WnError('invalid', `not a value: ${text}`, {
    hint: `${parsed.ok ? 'A field can not hold it' : parsed.why}; quote it to make it text.`,
  });
}
