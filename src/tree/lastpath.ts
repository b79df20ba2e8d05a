/**
 * A path for every worknode, hidden ones too: where it shows, or where it was placed
 * last. For telling people what an op was about; nothing can be opened there.
 */
import type { NodeId } from '../core/ids.js';
import { HOME_IDS_MAX } from '../core/limits.js';
import type { View } from '../repo/view.js';
import { joinPath } from './names.js';

/** Ends at an unknown folder with `?`, as for a worknode whose create op isn't here. */
export function lastPath(view: View, node: NodeId): string {
  const names: string[] = [];
  for (let at = node; names.length < HOME_IDS_MAX;) {
    const shown = view.pathOf(at);
    if (shown !== null) return names.reduceRight((path, name) => joinPath(path, name), shown);
    const { placed } = view.record(at);
    if (placed === null) break;
    names.push(placed.name);
    at = placed.parent;
  }
  return ['?', ...names.reverse()].join('/');
}
