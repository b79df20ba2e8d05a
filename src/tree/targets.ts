/**
 * Which worknodes may have to look different on disk after a change of the view, and
 * what each shows as now. More than changed themselves: what is in a folder that moved,
 * and what shares a name with a file that came, went or changed.
 */
import type { NodeId } from '../core/ids.js';
import type { Replica } from '../repo/replica.js';
import type { Entry } from '../repo/view.js';
import { baseName, parentPath, parseDisplayName } from './names.js';
import type { TreeState } from './state.js';

/** Null for a worknode that shows nowhere, or as a part of another. */
export type Targets = ReadonlyMap<NodeId, Entry | null>;

export function targetsOf(
  { view, root }: Replica,
  state: TreeState,
  dirty: readonly NodeId[],
): Targets {
  const targets = new Map<NodeId, Entry | null>();
  const queue = [...dirty];
  let sorted: readonly string[] | null = null;
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (targets.has(node) || node === root) continue;
    const entry = view.entryOf(node);
    targets.set(node, entry?.node === node ? entry : null);
    const oldPath = state.pathOf(node);
    queue.push(...(entry?.united ?? []));
    for (const path of new Set([entry?.path ?? null, oldPath])) {
      if (path !== null) queue.push(...namesakes(view, path, view.record(node).placed?.name));
    }
    if (view.typeOf(node) !== 'folder' || (oldPath !== null && oldPath === entry?.path)) continue;
    for (const child of entry === null ? [] : (view.children(entry.path) ?? []))
      queue.push(...child.united);
    if (oldPath === null) continue;
    sorted ??= [...state.entries.keys()].sort();
    for (const path of pathsBelow(sorted, oldPath)) {
      const child = state.entries.get(path)?.node;
      if (child !== undefined) queue.push(child);
    }
  }
  return targets;
}

/** Worknodes beside `path` whose names decide who shows there, and who with a suffix. */
function namesakes(
  view: Replica['view'],
  path: string,
  placedName: string | undefined,
): readonly NodeId[] {
  const shown = baseName(path);
  const names = new Set([shown, placedName ?? shown]);
  for (const name of [...names]) {
    const parsed = parseDisplayName(name);
    if (parsed !== null) names.add(parsed.name);
  }
  return [...names].flatMap((name) => view.namedIn(parentPath(path), name));
}

/** Of sorted paths those below a folder. */
export function* pathsBelow(sorted: readonly string[], folder: string): Iterable<string> {
  const prefix = `${folder}/`;
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < prefix) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < sorted.length; at++) {
    const path = sorted[at] ?? '';
    if (!path.startsWith(prefix)) return;
    yield path;
  }
}
