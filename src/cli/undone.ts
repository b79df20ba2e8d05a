/** How undo and redo answer. */
import { EXIT } from '../core/errors.js';
import { showId } from '../core/ids.js';
import type { NotUndone } from '../tree/inverse.js';
import type { Undone } from '../tree/undo.js';
import { committedResult, renderCommitted, type CommittedResult } from './committed.js';
import { fieldName } from './operations.js';
import { Outcome } from './outcome.js';
import type { TextOutput } from './output.js';

export interface UndoneResult extends CommittedResult {
  /** The commit that was taken back; of a change of several, the last. */
  readonly undone: string;
  readonly notUndone: readonly NotUndoneShown[];
}

type NotUndoneShown = Omit<NotUndone, 'field'> & { readonly field?: string };

/** Exit 3 where something stays as it is. */
export function undoneResult(undone: Undone): UndoneResult | Outcome<UndoneResult> {
  const answered = committedResult(undone);
  const committed = answered instanceof Outcome ? answered.result : answered;
  const result: UndoneResult = {
    ...committed,
    undone: showId(undone.undone),
    notUndone: undone.notUndone.map(({ path, field, why }) => ({
      path,
      ...(field && { field: fieldName(field) }),
      why,
    })),
  };
  if (result.notUndone.length === 0) return result;
  return new Outcome(result, EXIT.partly, 'not all of it is as that commit left it; that stays');
}

export function renderUndone(result: UndoneResult, out: TextOutput, done = 'undone'): void {
  const { style } = out;
  if (result.commit === null) out.line`nothing to change for ${result.undone.slice(0, 10)}`;
  else renderCommitted(result, out);
  if (result.commit !== null) out.line`${done}: ${style.yellow(result.undone.slice(0, 10))}`;
  for (const { path, field, why } of result.notUndone) {
    out.line`${style.yellow('!')} ${path}${field === undefined ? '' : ` ${field}`}: ${why}`;
  }
}
