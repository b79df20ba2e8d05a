/**
 * The field types that exist, and the fields of one worknode: for each path the state
 * of every type that was written there. A new type is one file and one line here; the
 * laws test finds it. Paths, schemas and files are the caller's business.
 */
import { asArray, asText, asUint, type Canonical } from '../core/canonical.js';
import { WnError } from '../core/errors.js';
import type { Stamp } from '../core/hlc.js';
import type { LogId } from '../core/ids.js';
import type { FieldPath } from '../core/op.js';
import { counter } from './counter.js';
import { register } from './register.js';
import { set } from './set.js';
import type { FieldType, Loser } from './types.js';
import type { Value } from './value.js';

/** A type whose state only its own functions can read. */
export type AnyFieldType = FieldType<unknown, unknown>;

export const FIELD_TYPES: readonly AnyFieldType[] = [register, set, counter];

const BY_NUMBER = new Map(FIELD_TYPES.map((type) => [type.number, type]));
const BY_NAME = new Map(FIELD_TYPES.map((type) => [type.name, type]));

/** Undefined for a number of a newer version: its ops are held. */
export function fieldType(number: number): AnyFieldType | undefined {
  return BY_NUMBER.get(number);
}

export function fieldTypeNamed(name: string): AnyFieldType | undefined {
  return BY_NAME.get(name);
}

/** Canonical JSON of a path. */
export type PathKey = string;

export function pathKey(path: FieldPath): PathKey {
  const [name] = path;
  const isPlain = path.length === 1 && typeof name === 'string' && PLAIN_NAME.test(name);
  return isPlain ? `["${name}"]` : JSON.stringify(path);
}

/** What JSON spells as it is. */
const PLAIN_NAME = /^[\w .-]*$/;

/** What was written at one path. */
export class FieldStates {
  /** Most fields stay as they are from one state of a worknode to the next; undefined: not asked yet. */
  private shownAs: ShownField | null | undefined = undefined;

  constructor(
    private readonly path: FieldPath,
    /** By number of the type; undefined where it never wrote. */
    private readonly states: readonly unknown[],
  ) {}

  of(type: AnyFieldType): unknown {
    return this.states[type.number];
  }

  with(type: AnyFieldType, state: unknown): FieldStates {
    const states = this.states.slice();
    states[type.number] = state;
    return new FieldStates(this.path, states);
  }

  /** What shows: the type with the newest write. Null where nothing was written. */
  shown(): ShownField | null {
    if (this.shownAs === undefined) this.shownAs = shownField(this.path, this.states);
    return this.shownAs;
  }
}

/** Per path what was written there. */
export type FieldsState = ReadonlyMap<PathKey, FieldStates>;

const EMPTY: FieldsState = new Map();

export function emptyFields(): FieldsState {
  return EMPTY;
}

/**
 * Applies one field op of the log `own`. Null for a type of a newer version: the op is
 * held. Throws `invalid` for an argument that the type can't read: such an op counts as
 * nothing.
 */
export function applyField(
  fields: FieldsState,
  path: FieldPath,
  typeNumber: number,
  arg: Canonical,
  own: LogId,
  at: Stamp,
): FieldsState | null {
  const type = fieldType(typeNumber);
  if (type === undefined) return null;
  const decoded = type.decode(arg, own);
  const key = pathKey(path);
  const states = fields.get(key) ?? new FieldStates(path, []);
  const state = type.apply(states.of(type) ?? type.empty(), decoded, at);
  return new Map(fields).set(key, states.with(type, state));
}

/** The state of one type at a path, empty where it was never written. */
export function fieldState<State, Arg>(
  fields: FieldsState,
  path: FieldPath,
  type: FieldType<State, Arg>,
): State {
  const state = fields.get(pathKey(path))?.of(type);
  return state === undefined ? type.empty() : (state as State);
}

export interface ShownField {
  readonly path: FieldPath;
  readonly type: AnyFieldType;
  /** Undefined: unset. */
  readonly value: Value | undefined;
  /** The newest write. */
  readonly at: Stamp;
  /** Newest first, with what other types hold at this path. */
  readonly losers: readonly FieldLoser[];
}

export interface FieldLoser extends Loser {
  readonly type: AnyFieldType;
}

/** What each path shows: the type with the newest live write. In the order of path keys. */
export function shownFields(fields: FieldsState): readonly ShownField[] {
  const all: ShownField[] = [];
  for (const key of [...fields.keys()].sort()) {
    const shown = fields.get(key)?.shown() ?? null;
    if (shown !== null) all.push(shown);
  }
  return all;
}

/** The same for one path; undefined where it shows nothing and was never written. */
export function shownAt(fields: FieldsState, path: FieldPath): ShownField | undefined {
  return fields.get(pathKey(path))?.shown() ?? undefined;
}

/** Whether any path shows a value beside which another was written. */
export function hasLosers(fields: FieldsState): boolean {
  for (const states of fields.values()) {
    if ((states.shown()?.losers.length ?? 0) > 0) return true;
  }
  return false;
}

function shownField(path: FieldPath, states: readonly unknown[]): ShownField | null {
  const [shown, ...hidden] = writtenTypes(states);
  if (shown === undefined) return null;
  const { type, state, at } = shown;
  return { path, type, value: type.value(state), at, losers: losersOf(shown, hidden) };
}

interface Written {
  readonly type: AnyFieldType;
  readonly state: unknown;
  readonly at: Stamp;
}

/** The type with the newest write first; on one stamp (a forked log) the smaller number. */
function writtenTypes(states: readonly unknown[]): readonly Written[] {
  const written: Written[] = [];
  for (const type of FIELD_TYPES) {
    const state = states[type.number];
    const at = state === undefined ? null : type.newest(state);
    if (at !== null) written.push({ type, state, at });
  }
  return written.length > 1 ? written.sort(newestFirst) : written;
}

function losersOf(shown: Written, hidden: readonly Written[]): readonly FieldLoser[] {
  const own = shown.type.losers(shown.state).map((loser) => ({ ...loser, type: shown.type }));
  if (hidden.length === 0 && own.length < 2) return own;
  return [...own, ...hidden.flatMap(hiddenValues)].sort(newestFirst);
}

/** What a type holds that doesn't show. A blank value is nothing to miss. */
function hiddenValues({ type, state, at }: Written): readonly FieldLoser[] {
  if (type.isEmpty(state)) return [];
  return [{ value: type.value(state), at }, ...type.losers(state)]
    .filter((loser) => loser.value !== undefined)
    .map((loser) => ({ ...loser, type }));
}

function newestFirst(a: { readonly at: Stamp }, b: { readonly at: Stamp }): number {
  return a.at > b.at ? -1 : a.at < b.at ? 1 : 0;
}

/** For the index: `[path key, number of the type, state]` each, in order. */
export function encodeFields(fields: FieldsState): Canonical {
  return [...fields.keys()].sort().flatMap((key) =>
    FIELD_TYPES.flatMap((type): Canonical[] => {
      const state = fields.get(key)?.of(type);
      return state === undefined ? [] : [[key, type.number, type.encodeState(state)]];
    }),
  );
}

/** Throws `invalid`. */
export function decodeFields(value: Canonical): FieldsState {
  const fields = new Map<PathKey, FieldStates>();
  for (const item of asArray(value, 'fields')) {
    const [rawKey, number, state] = asArray(item, 'field', 3);
    const type = fieldType(asUint(number, 'type of field'));
    if (type === undefined) throw new WnError('invalid', 'a field of an unknown type');
    const key = asText(rawKey, 'path of a field');
    const states = fields.get(key) ?? new FieldStates(JSON.parse(key) as FieldPath, []);
    fields.set(key, states.with(type, type.decodeState(state ?? null)));
  }
  return fields;
}
