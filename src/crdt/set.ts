/**
 * Observed-remove set: an element is in the set while it has a tag, the stamp of an op
 * that added it; a remove names the tags that it saw (Shapiro, Preguiça et al., 2011).
 * So an add that is concurrent with a remove wins.
 *
 * Per element the state keeps the newest tag of each log and what of each log was
 * removed (`versions.ts`). The latter stays when the element goes: it grows with the
 * vocabulary of the set, not with its history, and buys that the order of ops, and
 * duplicates, don't matter even where an author names what he can't have seen.
 *
 * On the wire: `[adds, removes]`, values to add and `[value, tags]` to remove.
 */
import { asArray, encodeCanonical, type Canonical } from '../core/canonical.js';
import { WnError } from '../core/errors.js';
import { stampLog, type Stamp } from '../core/hlc.js';
import { GROUP_BYTES_TARGET, SET_ELEMENTS_MAX } from '../core/limits.js';
import type { FieldType } from './types.js';
import { asValue, checkWritable, valueKey, type Value } from './value.js';
import {
  covers,
  decodeRefs,
  decodeStamp,
  decodeVersions,
  encodeRefs,
  encodeStamp,
  encodeVersions,
  join,
  newer,
  NO_VERSIONS,
  seenBy,
  type VersionVector,
} from './versions.js';

interface Element {
  readonly value: Value;
  /** Tags that stand; the element is in the set while there is one. */
  readonly tags: VersionVector;
  readonly removed: VersionVector;
}

export interface SetState {
  /** By key of the value; those that are gone too. */
  readonly elements: ReadonlyMap<string, Element>;
  readonly newest: Stamp | null;
}

export interface SetArg {
  readonly adds: readonly Value[];
  readonly removes: readonly { readonly value: Value; readonly tags: readonly Stamp[] }[];
}

const EMPTY: SetState = { elements: new Map(), newest: null };

export function add(values: readonly Value[]): SetArg {
  return { adds: values, removes: [] };
}

/** Values that aren't in the set are passed over. */
export function remove(state: SetState, values: readonly Value[]): SetArg {
  const seen = values.flatMap((value) => {
    const element = state.elements.get(valueKey(value));
    return element !== undefined && element.tags.size > 0 ? [element] : [];
  });
  return {
    adds: [],
    removes: seen.map(({ value, tags }) => ({ value, tags: [...tags.values()].sort() })),
  };
}

export const set: FieldType<SetState, SetArg, readonly Value[]> = {
  name: 'set',
  number: 1,
  empty: () => EMPTY,

  decode(arg, own) {
    const [adds, removes] = asArray(arg, 'argument of a set', 2);
    return {
      adds: asArray(adds, 'elements to add').map(asValue),
      removes: asArray(removes, 'elements to remove').map((item) => {
        const [value, tags] = asArray(item, 'element to remove', 2);
        return { value: asValue(value), tags: decodeRefs(tags, own) };
      }),
    };
  },

  encode: ({ adds, removes }, own) => [
    adds,
    removes.map(({ value, tags }): Canonical => [value, encodeRefs(tags, own)]),
  ],

  apply(state, { adds, removes }, at) {
    const elements = new Map(state.elements);
    for (const { value, tags } of removes) {
      update(elements, value, (element) => withRemoved(element, seenBy(at, tags)));
    }
    for (const value of adds) update(elements, value, (element) => withTag(element, at));
    return { elements, newest: newer(state.newest, at) };
  },

  /** In the order of `byValue`. An emptied set shows as an empty list. */
  value(state) {
    if (state.newest === null) return undefined;
    return present(state)
      .map((element) => element.value)
      .sort(byValue);
  },

  losers: () => [],
  newest: (state) => state.newest,
  isEmpty: (state) => present(state).length === 0,

  check(state, arg) {
    for (const value of arg.adds) checkWritable(value);
    checkCount(state, arg);
    const { byteLength } = encodeCanonical(set.encode(arg, ''));
    if (byteLength > GROUP_BYTES_TARGET) {
      throw new WnError(
        'too_large',
        `one change of a set takes ${byteLength} bytes, over ${GROUP_BYTES_TARGET}; nothing was written`,
        { hint: 'Add or remove fewer elements at once.' },
      );
    }
  },

  invert({ adds, removes }, at, before, now) {
    const added = adds.filter((value) => !has(before, value) && tagOf(now, value, at) === at);
    const gone = removes
      .map(({ value }) => value)
      .filter((value) => has(before, value) && !has(now, value));
    if (added.length + gone.length === 0) return undefined;
    return { adds: gone, removes: added.map((value) => ({ value, tags: [at] })) };
  },

  encodeState: ({ elements, newest }) => [
    newest === null ? null : encodeStamp(newest),
    [...elements.keys()].sort().map((key): Canonical => {
      const { value, tags, removed } = elements.get(key) as Element;
      return [value, encodeVersions(tags), encodeVersions(removed)];
    }),
  ],

  decodeState(value) {
    const [newest, items] = asArray(value, 'state of a set', 2);
    const elements = asArray(items, 'elements').map((item): [string, Element] => {
      const [raw, tags, removed] = asArray(item, 'element', 3);
      const element = asValue(raw);
      return [
        valueKey(element),
        { value: element, tags: decodeVersions(tags), removed: decodeVersions(removed) },
      ];
    });
    return {
      elements: new Map(elements),
      newest: newest === null ? null : decodeStamp(newest),
    };
  },
};

function update(
  elements: Map<string, Element>,
  value: Value,
  change: (element: Element) => Element,
): void {
  const key = valueKey(value);
  const element = elements.get(key) ?? { value, tags: NO_VERSIONS, removed: NO_VERSIONS };
  const changed = change(element);
  if (changed !== element) elements.set(key, changed);
}

function withRemoved(element: Element, tags: readonly Stamp[]): Element {
  const removed = join(element.removed, tags);
  if (removed === element.removed) return element;
  const standing = [...element.tags].filter(([, tag]) => !covers(removed, tag));
  return { ...element, removed, tags: new Map(standing) };
}

function withTag(element: Element, tag: Stamp): Element {
  if (covers(element.removed, tag) || covers(element.tags, tag)) return element;
  return { ...element, tags: join(element.tags, [tag]) };
}

function present(state: SetState): readonly Element[] {
  return [...state.elements.values()].filter((element) => element.tags.size > 0);
}

function has(state: SetState, value: Value): boolean {
  return (state.elements.get(valueKey(value))?.tags.size ?? 0) > 0;
}

/** The tag that the log of `at` holds on a value. */
function tagOf(state: SetState, value: Value, at: Stamp): Stamp | undefined {
  return state.elements.get(valueKey(value))?.tags.get(stampLog(at));
}

/** Text in the order of its code units, as people expect of labels; the rest by its bytes. */
function byValue(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  const [left, right] = [valueKey(a), valueKey(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function checkCount(state: SetState, { adds, removes }: SetArg): void {
  if (adds.length === 0) return;
  const keys = new Set(present(state).map((element) => valueKey(element.value)));
  for (const { value } of removes) keys.delete(valueKey(value));
  for (const value of adds) keys.add(valueKey(value));
  if (keys.size > SET_ELEMENTS_MAX) {
    throw new WnError(
      'too_large',
      `a set of ${keys.size} elements, over ${SET_ELEMENTS_MAX}; nothing was written`,
      { hint: 'Remove elements first, or keep them in a file of their own.' },
    );
  }
}
