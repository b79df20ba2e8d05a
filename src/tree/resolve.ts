/**
 * Settling overlaps: for each an operation that has both sides in its past, so that it
 * is gone on every device. `mine` confirms what shows, `theirs` takes the newest of what
 * lost, a value takes neither.
 */
import { WnError } from '../core/errors.js';
import { showId, type NodeId } from '../core/ids.js';
import type { Op } from '../core/op.js';
import { suffixedName } from '../crdt/names.js';
import { fieldTypeNamed, type AnyFieldType } from '../crdt/registry.js';
import { makesCycle } from '../crdt/tree.js';
import type { Replica } from '../repo/replica.js';
import type { Entry } from '../repo/view.js';
import { listConflicts, type Conflict } from './conflicts.js';
import { asField, type Crdt, type FieldValue } from './field.js';
import { settleField } from './fieldsettle.js';
import { crdtOfKind } from './fieldspec.js';
import { baseName, checkName, joinPath, parentPath } from './names.js';
import { fieldsShown } from './project.js';
import { parseValue } from './values.js';
import type { Committed, WorkCopy } from './workcopy.js';

export type Choice =
  | { readonly take: 'mine' | 'theirs' }
  /** As typed; what it means follows the schema. */
  | { readonly take: 'value'; readonly text: string };

export interface Resolution {
  readonly path: string;
  /** Which of the conflicts there; all if left out. */
  readonly matches: (conflict: Conflict) => boolean;
  readonly choice: Choice;
}

export interface Resolved extends Committed {
  readonly resolved: number;
  readonly remaining: number;
}

/** Throws `not_found` where there is nothing to settle, `usage`, `invalid`, `exists`. */
export async function resolveConflicts(work: WorkCopy, wish: Resolution): Promise<Resolved> {
  const { replica } = work;
  const { path, choice } = wish;
  const matching = (): readonly Conflict[] => listConflicts(replica, [path]).filter(wish.matches);
  let resolved = 0;
  const committed = await work.change(`resolve ${path}: ${choice.take}`, (draft) => {
    const conflicts = matching();
    resolved = conflicts.length;
    checkMatches(path, choice, conflicts);
    for (const conflict of conflicts) {
      for (const op of resolutionOps(work, conflict, choice, path)) draft.add(op);
    }
  });
  return { ...committed, resolved, remaining: listConflicts(replica).length };
}

function checkMatches(path: string, { take }: Choice, conflicts: readonly Conflict[]): void {
  if (conflicts.length === 0) {
    throw new WnError('not_found', `nothing to resolve at ${path}`, { hint: 'see: wn conflicts' });
  }
  if (take === 'value' && conflicts.length > 1) {
    throw new WnError(
      'usage',
      `${conflicts.length} conflicts are at ${path}, and one value was given`,
      {
        hint: 'nothing was changed; name one of them: --field NAME',
      },
    );
  }
}

function resolutionOps(
  work: WorkCopy,
  conflict: Conflict,
  choice: Choice,
  path: string,
): readonly Op[] {
  const { replica } = work;
  switch (conflict.kind) {
    case 'field':
    case 'type':
    case 'body':
      return fieldOps(work, conflict, choice);
    case 'delete':
      if (choice.take === 'value') throw noValue('a delete');
      return [{ op: choice.take === 'mine' ? 'revive' : 'delete', node: conflict.node }];
    case 'name':
      return nameOps(replica, conflict, choice, path);
    case 'move':
      return moveOps(replica, conflict, choice);
  }
}

function noValue(what: string): WnError {
  return new WnError('usage', `${what} is settled with mine or theirs`, {
    hint: 'nothing was changed',
  });
}

type FieldConflict = Extract<Conflict, { kind: 'field' | 'type' | 'body' }>;

function fieldOps(work: WorkCopy, conflict: FieldConflict, choice: Choice): readonly Op[] {
  const { node, field } = conflict;
  if (choice.take === 'value') {
    const [type, value] = typedValue(work, conflict, choice.text);
    return settleField(work.replica, node, field.path, type, value);
  }
  const { type, value } = choice.take === 'mine' ? field : (field.losers[0] ?? field);
  return settleField(work.replica, node, field.path, type, value);
}

/** Throws `invalid` for a value that the schema refuses. */
function typedValue(
  work: WorkCopy,
  { node, path, field }: FieldConflict,
  text: string,
): [AnyFieldType, FieldValue] {
  const [name] = field.path;
  if (field.path.length > 1 || typeof name !== 'string') throw noValue('this');
  const schema = work.schema();
  const kind = schema.fieldOf(path, null, name)?.kind ?? null;
  const crdt = kind === null ? (field.type.name as Crdt) : crdtOfKind(kind);
  const typed = asField(parseValue(text, kind), crdt);
  schema.check(path, null, name, typed.value, fieldsShown(work.replica, node).get(name));
  return [fieldTypeNamed(typed.crdt) ?? field.type, typed.value];
}

type NameConflict = Extract<Conflict, { kind: 'name' }>;

/** Gives each but one a name of its own: that which it shows under, or the one given. */
function nameOps(
  replica: Replica,
  conflict: NameConflict,
  choice: Choice,
  path: string,
): readonly Op[] {
  const { view } = replica;
  const { others } = conflict;
  const named = others.find((other) => other.path === path);
  if (choice.take === 'value') {
    const only = named ?? (others.length === 1 ? others[0] : undefined);
    if (only === undefined) {
      throw new WnError('usage', `${others.length} others have the name of ${path}`, {
        hint: `nothing was changed; name one: ${others.map((other) => other.path).join(', ')}`,
      });
    }
    return rename(replica, only, freeName(replica, only, choice.text));
  }
  if (choice.take === 'mine') {
    return (named === undefined ? others : [named]).flatMap((other) =>
      rename(replica, other, other.name),
    );
  }
  const heir = named ?? others.at(-1);
  const keeper = view.entry(conflict.path);
  const rest = others.filter((other) => other !== heir);
  return [
    ...(keeper === null
      ? []
      : rename(replica, keeper, suffixedName(keeper.name, showId(keeper.node).slice(0, 10)))),
    ...rest.flatMap((other) => rename(replica, other, other.name)),
  ];
}

/** Throws `invalid` for a name that can't be, `exists` for one that is taken. */
function freeName({ view }: Replica, entry: Entry, name: string): string {
  const checked = checkName(name);
  if (!checked.ok)
    throw new WnError('invalid', `the name ${name} ${checked.why}`, {
      hint: 'nothing was changed; choose another',
    });
  const taken = view.entry(joinPath(parentPath(entry.path), name));
  if (taken === null || taken.node === entry.node) return name;
  throw new WnError('exists', `${taken.path} exists already`, {
    hint: 'nothing was changed; choose another name',
  });
}

function rename({ view }: Replica, entry: Entry, name: string): readonly Op[] {
  return entry.united.flatMap((node): Op[] => {
    const { placed } = view.record(node);
    return placed === null ? [] : [{ op: 'place', node, parent: placed.parent, name }];
  });
}

type MoveConflict = Extract<Conflict, { kind: 'move' }>;

function moveOps(
  { view }: Replica,
  { node, path, moves }: MoveConflict,
  choice: Choice,
): readonly Op[] {
  if (choice.take === 'value') throw noValue('a move');
  const [lost] = moves;
  const target = choice.take === 'mine' ? view.record(node).placed : (lost ?? null);
  if (target === null) return [];
  const placementOf = (id: NodeId): ReturnType<typeof view.record>['placed'] =>
    view.record(id).placed;
  if (makesCycle(node, target.parent, placementOf)) {
    throw new WnError('invalid', `${path} would come to lie in itself`, {
      hint: `nothing was changed; move ${baseName(view.pathOf(target.parent) ?? 'that folder')} out of it first: wn mv`,
    });
  }
  return [{ op: 'place', node, parent: target.parent, name: target.name }];
}
