/**
 * `wn.yaml`: which types of worknode there are, which fields they have, and how those
 * merge. It guides commands and what a list in front matter is taken for; what an op
 * means stands in the op, so devices with different schemas agree on state.
 */
import ignoreRules, { type Ignore } from 'ignore';
import { LineCounter, parseDocument } from 'yaml';
import { WnError } from '../core/errors.js';
import { SCHEMA_BYTES_MAX } from '../core/limits.js';
import { asField, compareValues, isList, type Crdt, type Field, type FieldShown, type FieldValue } from './field.js';

export type FieldKind = 'register' | 'set' | 'counter' | 'date' | 'refs' | 'number' | 'boolean' | 'string';
const KINDS: readonly FieldKind[] = ['register', 'set', 'counter', 'date', 'refs', 'number', 'boolean', 'string'];

export interface FieldSpec {
  readonly kind: FieldKind;
  readonly values: readonly FieldValue[] | null;
  /** What may follow a value; null: anything. */
  readonly transitions: ReadonlyMap<string, readonly FieldValue[]> | null;
  readonly default: FieldValue | null;
  readonly strong: boolean;
}

export interface TypeSpec {
  readonly name: string;
  readonly matches: Ignore;
  readonly fields: ReadonlyMap<string, FieldSpec>;
  readonly merge: 'text' | 'whole' | undefined;
}

export class Schema {
  constructor(readonly types: readonly TypeSpec[]) {}

  /** The first type whose pattern matches a path. */
  typeOf(path: string): TypeSpec | null {
    if (path === '') return null;
    return this.types.find((type) => type.matches.ignores(path)) ?? null;
  }

  /** Throws `not_found` for a name that the schema doesn't have. */
  typeNamed(name: string): TypeSpec {
    const found = this.types.find((type) => type.name === name);
    if (found !== undefined) return found;
    const known = this.types.map((type) => type.name).join(', ');
    throw new WnError('not_found', `wn.yaml declares no type ${name}`, {
      hint: known === '' ? 'nothing was changed; declare it in wn.yaml' : `it has: ${known}`,
    });
  }

  mergeOf(path: string): 'text' | 'whole' | undefined {
    return this.typeOf(path)?.merge;
  }

  /** How a declared field merges; null where the schema says nothing. */
  crdtOf(path: string, key: string): Crdt | null {
    const spec = this.typeOf(path)?.fields.get(key);
    return spec === undefined ? null : crdtOfKind(spec.kind);
  }

  /** What a new worknode starts with. */
  defaultsOf(path: string, type: string | null): ReadonlyMap<string, Field> {
    const spec = type === null ? this.typeOf(path) : this.typeNamed(type);
    const fields = new Map<string, Field>();
    for (const [key, field] of spec?.fields ?? []) {
      if (field.default !== null) fields.set(key, asField(field.default, crdtOfKind(field.kind)));
    }
    return fields;
  }

  /** Throws `invalid` for a value that the type refuses; the hint names those it allows. */
  check(path: string, type: string | null, key: string, value: FieldValue, before: FieldShown | undefined): void {
    const spec = (type === null ? this.typeOf(path) : this.typeNamed(type))?.fields.get(key);
    if (spec === undefined) return;
    for (const each of isList(value) ? value : [value]) checkKind(key, spec, each);
    const old = before === undefined || before === 'unset' ? null : before.value;
    const next = old === null ? undefined : spec.transitions?.get(JSON.stringify(old));
    if (next !== undefined && !includes([...next, old as FieldValue], value)) {
      throw refused(key, value, `after ${String(old)}: ${next.map(String).join(', ')}`);
    }
  }
}

function checkKind(key: string, { kind, values }: FieldSpec, value: FieldValue): void {
  if (values !== null && !includes(values, value)) {
    throw refused(key, value, `one of ${values.map(String).join(', ')}`);
  }
  if (kind === 'number' && typeof value !== 'number') throw refused(key, value, 'a number');
  if (kind === 'counter' && !Number.isSafeInteger(value)) throw refused(key, value, 'a whole number');
  if (kind === 'boolean' && typeof value !== 'boolean') throw refused(key, value, 'true or false');
  if (kind === 'date' && !(typeof value === 'string' && !Number.isNaN(Date.parse(value)))) {
    throw refused(key, value, 'a date as 2026-12-31 or 2026-12-31T10:00Z');
  }
}

function includes(values: readonly FieldValue[], value: FieldValue): boolean {
  return values.some((each) => compareValues(each, value) === 0);
}

function refused(key: string, value: FieldValue, allowed: string): WnError {
  return new WnError('invalid', `${key} can't be ${String(value)}`, {
    hint: `nothing was changed; wn.yaml allows ${allowed}`,
  });
}

export function crdtOfKind(kind: FieldKind): Crdt {
  if (kind === 'set' || kind === 'refs') return 'set';
  return kind === 'counter' ? 'counter' : 'register';
}

/** Throws `invalid`, with the line, for text that is no schema. Empty text is no types. */
export function parseSchema(text: string): Schema {
  if (text.trim() === '') return new Schema([]);
  if (text.length > SCHEMA_BYTES_MAX) throw new WnError('too_large', 'wn.yaml is over its bound');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, schema: 'core', strict: true });
  const [error] = document.errors;
  if (error !== undefined) throw broken(error.message.split('\n')[0] ?? 'not YAML');
  const top = asMap(document.toJS({ mapAsMap: true, maxAliasCount: 100 }), 'wn.yaml');
  onlyKeys(top, ['types'], 'wn.yaml');
  const types = top.get('types') === undefined ? new Map<string, unknown>() : asMap(top.get('types'), 'types');
  return new Schema([...types].map(([name, value]) => parseType(name, asMap(value, `type ${name}`))));
}

function parseType(name: string, value: ReadonlyMap<string, unknown>): TypeSpec {
  onlyKeys(value, ['match', 'fields', 'merge'], `type ${name}`);
  const match = value.get('match');
  const patterns = Array.isArray(match) ? match : [match];
  if (!patterns.every((pattern): pattern is string => typeof pattern === 'string')) {
    throw broken(`type ${name} needs match: a pattern as tasks/**/*.md`);
  }
  const merge = value.get('merge');
  if (merge !== undefined && merge !== 'text' && merge !== 'whole') {
    throw broken(`merge of type ${name} is text or whole`);
  }
  const fields = new Map<string, FieldSpec>();
  const declared = value.get('fields') === undefined ? [] : asMap(value.get('fields'), `fields of ${name}`);
  for (const [key, spec] of declared) fields.set(key, parseField(`${name}.${key}`, asMap(spec, key)));
  return { name, matches: ignoreRules().add(patterns), fields, merge };
}

function parseField(what: string, value: ReadonlyMap<string, unknown>): FieldSpec {
  onlyKeys(value, ['type', 'values', 'transitions', 'default', 'strong'], what);
  const kind = (value.get('type') ?? 'register') as FieldKind;
  if (!KINDS.includes(kind)) throw broken(`type of ${what} is one of ${KINDS.join(', ')}`);
  const values = value.get('values');
  if (values !== undefined && !Array.isArray(values)) throw broken(`values of ${what} is a list`);
  const transitions = value.get('transitions');
  return {
    kind,
    values: values === undefined ? null : (values as readonly FieldValue[]),
    transitions:
      transitions === undefined
        ? null
        : new Map(
            [...asMap(transitions, `transitions of ${what}`)].map(([from, to]) => {
              if (!Array.isArray(to)) throw broken(`transitions of ${what}: a list for ${from}`);
              return [JSON.stringify(from), to as readonly FieldValue[]];
            }),
          ),
    default: (value.get('default') ?? null) as FieldValue | null,
    strong: value.get('strong') === true,
  };
}

function asMap(value: unknown, what: string): ReadonlyMap<string, unknown> {
  if (value instanceof Map && [...value.keys()].every((key) => typeof key === 'string')) {
    return value as ReadonlyMap<string, unknown>;
  }
  throw broken(`${what} is no mapping`);
}

function onlyKeys(value: ReadonlyMap<string, unknown>, known: readonly string[], what: string): void {
  for (const key of value.keys()) {
    if (!known.includes(key)) throw broken(`${what} has ${key}; known are ${known.join(', ')}`);
  }
}

function broken(why: string): WnError {
  return new WnError('invalid', `wn.yaml: ${why}`, { hint: 'nothing was changed; mend wn.yaml' });
}
