/**
 * What the strong log owns, as the working directory meets it: edits that no ordinary
 * commit may record, because they would count nowhere, and those of others that came and
 * don't count. Leaves out strong commits themselves.
 */
import type { NodeId } from '../core/ids.js';
import { ATTRIBUTE, type FieldPath } from '../core/op.js';
import { fieldType, shownFields, type FieldLoser, type ShownField } from '../crdt/registry.js';
import { register } from '../crdt/register.js';
import { isOwned, ownsAny, type StrongField, type StrongNode } from '../repo/fold/strong.js';
import { opsOn } from '../repo/nodeops.js';
import type { Replica } from '../repo/replica.js';

export const BODY: FieldPath = [ATTRIBUTE.body];

/** Why writes to these paths would count nowhere; null where they do. */
export function whyOwned(strong: StrongNode | null, written: readonly FieldPath[]): string | null {
  const owned = strong === null ? undefined : written.find((path) => isOwned(strong, path));
  if (owned === undefined) return null;
  const what = typeof owned[0] === 'string' ? owned.join('.') : 'its content';
  return `${what} is strong-owned; commit it with: wn commit --strong`;
}

/** Why a delete would count nowhere; null where it does. */
export function whyKept(strong: StrongNode | null): string | null {
  if (strong === null || !ownsAny(strong)) return null;
  return 'the strong log owns some of it; delete it with: wn commit --strong';
}

/** Owned fields of a worknode that others wrote to all the same, with what they wrote. */
export function* overruled(replica: Replica, node: NodeId): Iterable<ShownField> {
  const { strong, fields, document } = replica.view.record(node);
  if (strong === null) return;
  for (const field of strong.fields.values()) {
    if (!field.ignored) continue;
    const shown = shownFields(fields).find(({ path }) => path.join() === field.path.join());
    const type = fieldType(field.type) ?? register;
    const losers = [...writesTo(replica, node, field)];
    if (field.path[0] === ATTRIBUTE.body && document !== null) {
      const at = field.at;
      losers.push({ value: replica.fold.documents.text(node, document), at, type: register });
    }
    yield { path: field.path, type, value: shown?.value, at: field.at, losers };
  }
}

/** Registers alone say what was wanted; of the others, that something was. */
function* writesTo(
  replica: Replica,
  node: NodeId,
  { path, at }: StrongField,
): Iterable<FieldLoser> {
  for (const { op, at: written, ref } of opsOn(replica, node)) {
    if (op.op !== 'field' || written <= at || op.path.join() !== path.join()) continue;
    const type = fieldType(op.type);
    if (type === undefined) continue;
    const value = op.type === register.number ? register.decode(op.arg, ref.log).value : undefined;
    yield { value, at: written, type };
  }
}
