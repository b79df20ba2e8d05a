/**
 * The names that siblings show under. Two devices can give one name to two worknodes;
 * here each gets one path of its own, as a function of the set of siblings:
 *  - folders of one name are one folder, their children united;
 *  - files of one name and equal bytes are one file;
 *  - else one keeps the name (one that the strong log owns, a folder before a file, then
 *    the one named first), and the others get a suffix from their id, which is display only.
 * Leaves out what a file system makes of names (case, Unicode forms, device names).
 */
import { utf8 } from '../core/bytes.js';
import type { Stamp } from '../core/hlc.js';
import { showId, type NodeId } from '../core/ids.js';
import { NAME_BYTES_MAX } from '../core/limits.js';
import type { NodeType } from '../core/op.js';

export interface Sibling {
  readonly node: NodeId;
  readonly name: string;
  readonly type: NodeType;
  readonly createdAt: Stamp;
  /** The stamp of the op that gave the name: a place op, or the create op. */
  readonly placedAt: Stamp;
  /** The strong log owns something of it: it keeps its name. */
  readonly fixed?: boolean;
  /** Equal keys: equal content. Absent: unlike any other. */
  readonly contentKey?: string;
}

/** One path: worknodes that show as one. */
export interface ShownSibling {
  readonly name: string;
  readonly type: NodeType;
  /** The oldest of `united`: the one that an edit of the path changes. */
  readonly node: NodeId;
  /** All of them, oldest first. */
  readonly united: readonly NodeId[];
}

const SUFFIX_ID_CHARS = 10;

/** Shows each sibling under one name, each name once; in the order of names. */
export function displayNames(siblings: readonly Sibling[]): readonly ShownSibling[] {
  const shown = new Map<string, ShownSibling>();
  const others: Unit[] = [];
  // Every real name has its keeper before any suffix is chosen: no suffix takes one away.
  for (const [name, group] of groupBy(siblings, (sibling) => sibling.name)) {
    const [keeper, ...rest] = unite(group).sort(byPrecedence);
    if (keeper !== undefined) shown.set(name, show(keeper, name));
    others.push(...rest);
  }
  for (const unit of others.sort(byPrecedence)) {
    const name = freeName(unit, shown);
    shown.set(name, show(unit, name));
  }
  return [...shown.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What shows as one. */
interface Unit {
  readonly name: string;
  readonly type: NodeType;
  readonly node: NodeId;
  readonly united: readonly NodeId[];
  /** When one of them first had the name. */
  readonly namedAt: Stamp;
  readonly fixed: boolean;
}

function show({ type, node, united }: Unit, name: string): ShownSibling {
  return { name, type, node, united };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Units of siblings of one name; nearly always there is one. */
function unite(group: readonly Sibling[]): Unit[] {
  if (group.length === 1) return [toUnit(group)];
  return [...groupBy(group, identity).values()].map(toUnit);
}

/** What, beside the name, makes siblings one. */
function identity({ type, contentKey, node }: Sibling): string {
  if (type === 'folder') return type;
  return contentKey === undefined ? `${type} ${node}` : `${type} with ${contentKey}`;
}

function toUnit(group: readonly Sibling[]): Unit {
  const oldestFirst = group.toSorted(
    (a, b) => order(a.createdAt, b.createdAt) || order(a.node, b.node),
  );
  const { name, type, node } = oldestFirst[0] as Sibling;
  return {
    name,
    type,
    node,
    united: oldestFirst.map((sibling) => sibling.node),
    fixed: group.some((sibling) => sibling.fixed === true),
    namedAt: group.map((sibling) => sibling.placedAt).reduce((a, b) => (a < b ? a : b)),
  };
}

/** What may not lose its name before the rest, then folders, then the one that was named first. */
function byPrecedence(a: Unit, b: Unit): number {
  if (a.fixed !== b.fixed) return a.fixed ? -1 : 1;
  if ((a.type === 'folder') !== (b.type === 'folder')) return a.type === 'folder' ? -1 : 1;
  return order(a.namedAt, b.namedAt) || order(a.node, b.node);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first suffixed name that is free; more than ten characters only where those are taken. */
function freeName(unit: Unit, taken: ReadonlyMap<string, unknown>): string {
  const id = showId(unit.node);
  for (let chars = SUFFIX_ID_CHARS; chars <= id.length; chars++) {
    const name = suffixedName(unit.name, id.slice(0, chars));
    if (!taken.has(name)) return name;
  }
  // Somebody has taken them all on purpose. There are more numbers than names.
  let number = 2;
  while (taken.has(suffixedName(unit.name, `${id}~${number}`))) number++;
  return suffixedName(unit.name, `${id}~${number}`);
}

/** What programs know the kind of a file by; the dot of `.profile` begins none. */
const EXTENSION = /.(\.[A-Za-z0-9_-]{1,16})$/su;

/**
 * `name~suffix.ext`: the suffix stands before the last extension. A name that would get
 * longer than names may be loses characters before the suffix.
 */
export function suffixedName(name: string, suffix: string): string {
  const extension = EXTENSION.exec(name)?.[1] ?? '';
  const stem = name.slice(0, name.length - extension.length);
  const end = `~${suffix}${extension}`;
  return cut(stem, NAME_BYTES_MAX - utf8(end).byteLength) + end;
}

/** Whole code points of at most `bytesMax` bytes. */
function cut(text: string, bytesMax: number): string {
  if (utf8(text).byteLength <= bytesMax) return text;
  let kept = '';
  let bytes = 0;
  for (const char of text) {
    bytes += utf8(char).byteLength;
    if (bytes > bytesMax) break;
    kept += char;
  }
  return kept;
}
