/**
 * What a schema says of one field: its kind, which values it takes, and which may follow
 * which. Plain data and pure checks. Leaves out how it is declared (`schema.ts`).
 */
import { parseDate } from './dates.js';
import { equalValues, isList, isScalar, type Crdt, type FieldValue } from './field.js';
import { flowText } from './yaml-text.js';

export const FIELD_KINDS = [
  'register',
  'set',
  'counter',
  'date',
  'refs',
  'number',
  'boolean',
  'string',
] as const;

export type FieldKind = (typeof FIELD_KINDS)[number];

export interface FieldSpec {
  readonly kind: FieldKind;
  /** What a value, or an element of a set, may be; null: anything of its kind. */
  readonly values: readonly FieldValue[] | null;
  /** What may follow a value, by its spelling; one that isn't named may become anything. */
  readonly transitions: ReadonlyMap<string, readonly FieldValue[]>;
  readonly default: FieldValue | null;
  /** Written through the consensus group. */
  readonly strong: boolean;
}

export function crdtOfKind(kind: FieldKind): Crdt {
  if (kind === 'set' || kind === 'refs') return 'set';
  return kind === 'counter' ? 'counter' : 'register';
}

/** What the field takes instead of `value`; null if it takes it. Null is no value: it may be. */
export function refusal(spec: FieldSpec, value: FieldValue): string | null {
  if (value === null) return spec.kind === 'counter' ? 'a whole number' : null;
  const elements = crdtOfKind(spec.kind) === 'set' && isList(value) ? value : [value];
  for (const element of elements) {
    const kind = wrongKind(spec.kind, element);
    if (kind !== null) return kind;
    if (spec.values !== null && !includes(spec.values, element)) {
      return `one of ${spec.values.map((allowed) => flowText(allowed)).join(', ')}`;
    }
  }
  return null;
}

function wrongKind(kind: FieldKind, value: FieldValue): string | null {
  switch (kind) {
    case 'number':
      return typeof value === 'number' ? null : 'a number';
    case 'counter':
      return Number.isSafeInteger(value) ? null : 'a whole number';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'true or false';
    case 'date':
      return typeof value === 'string' && parseDate(value) !== null
        ? null
        : 'a date like 2026-12-31 or 2026-12-31T10:00Z';
    case 'string':
      return typeof value === 'string' ? null : 'text';
    case 'refs':
      return typeof value === 'string' && value !== '' ? null : 'paths or ids of worknodes';
    case 'set':
      return isScalar(value) ? null : 'a list of words, numbers and the like';
    case 'register':
      return null;
  }
}

/** What may follow the value `old` instead of `value`; null if that may. */
export function badStep(spec: FieldSpec, old: FieldValue, value: FieldValue): string | null {
  const next = spec.transitions.get(flowText(old));
  if (next === undefined || includes([...next, old], value)) return null;
  const allowed = next.map((step) => flowText(step)).join(', ');
  return `${allowed === '' ? 'nothing else' : allowed} after ${flowText(old)}`;
}

function includes(values: readonly FieldValue[], value: FieldValue): boolean {
  return values.some((each) => equalValues(each, value));
}
