/** How every command that commits answers. */
import { EXIT } from '../core/errors.js';
import { showHlc } from '../core/hlc.js';
import { showId } from '../core/ids.js';
import type { Refused } from '../tree/scan.js';
import type { Committed } from '../tree/workcopy.js';
import { counted } from './counted.js';
import { Outcome } from './outcome.js';
import type { TextOutput } from './output.js';

export interface CommittedResult {
  /** Null if there was nothing to do. */
  readonly commit: string | null;
  readonly hlc: string | null;
  readonly ops: number;
  readonly level: 'local';
  /** Paths that were left out, and why. */
  readonly refused: readonly Refused[];
}

/** Exit 3 where something was left out. */
export function committedResult(committed: Committed): CommittedResult | Outcome<CommittedResult> {
  const { commit, ops, refused } = committed;
  const result: CommittedResult = {
    commit: commit === null ? null : showId(commit.id),
    hlc: commit === null ? null : showHlc(commit.header.hlc),
    ops,
    level: 'local',
    refused,
  };
  return refused.length === 0 ? result : new Outcome(result, EXIT.partly);
}

export function renderCommitted(result: CommittedResult, out: TextOutput): void {
  const { style } = out;
  if (result.commit === null) out.line('nothing to commit');
  else out.line`${style.yellow(result.commit.slice(0, 10))} ${counted(result.ops, 'operation')}`;
  for (const { path, why } of result.refused) out.line`${style.yellow('left out')} ${path}: ${why}`;
}
