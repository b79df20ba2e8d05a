/** Shows overlaps that were merged, with both sides, and settles them. */
import { Args, Flags, Outcome, WnCommand } from '../cli/command.js';
import { authorName, shortTime } from '../cli/authorship.js';
import { committedResult, renderCommitted, type CommittedResult } from '../cli/committed.js';
import { conflictFieldName, conflictShown, type ConflictShown } from '../cli/conflictShown.js';
import { counted } from '../cli/counted.js';
import type { TextOutput } from '../cli/output.js';
import { pageFlags, pageOf, type Page } from '../cli/paging.js';
import { openRepository, type Repository } from '../cli/repository.js';
import { EXIT, WnError } from '../core/errors.js';
import { listConflicts } from '../tree/conflicts.js';
import { resolveConflicts, type Choice } from '../tree/resolve.js';

interface ResolvedResult extends CommittedResult {
  readonly resolved: number;
  readonly remaining: number;
}

type ConflictsResult = Page<ConflictShown> | ResolvedResult;

export default class Conflicts extends WnCommand<typeof Conflicts, ConflictsResult> {
  static override readonly summary = 'Show overlaps that were merged, with both sides';
  static override readonly description =
    'Fields and whole files that two devices wrote at once, deletes that somebody’s work undid, ' +
    'names that two have, folders moved into each other. Nothing is lost: one side shows, the ' +
    'other is listed. --resolve mine confirms what shows, theirs takes the newest that lost, ' +
    'anything else is a value (or a new name); the overlap is gone then on every device.';
  static override readonly args = {
    path: Args.string({ description: 'Only at this path and below.' }),
  };
  static override readonly flags = {
    resolve: Flags.string({ helpValue: 'mine|theirs|VALUE', description: 'Settle those at PATH.' }),
    field: Flags.string({ helpValue: 'NAME', description: 'Only those of this field.' }),
    ...pageFlags,
  };
  static override readonly examples = [
    'wn conflicts',
    'wn conflicts tasks/7.md --resolve theirs --field status',
    'wn conflicts notes.md --resolve notes-lap.md',
  ];
  static override readonly result =
    '{items: [{id, path, field, kind, kept, lost: [{value, by, byName, hlc, time, commit}]}], total, next}; with --resolve {commit, hlc, ops, level, resolved, remaining}';
  static override readonly paged = true;

  protected async execute(): Promise<ConflictsResult | Outcome<ConflictsResult>> {
    const repository = await openRepository(this.context);
    if (this.flags.resolve !== undefined) return this.resolve(repository, this.flags.resolve);
    const { replica } = repository;
    const under = this.args.path === undefined ? undefined : [repository.path(this.args.path)];
    const { field } = this.flags;
    const items = listConflicts(replica, under)
      .filter((conflict) => field === undefined || conflictFieldName(conflict) === field)
      .map((conflict) => conflictShown(replica, conflict));
    return pageOf(items, keyOf, compareKeys, isKey, { ...this.flags, after: this.flags.after });
  }

  private async resolve(
    repository: Repository,
    answer: string,
  ): Promise<ResolvedResult | Outcome<ResolvedResult>> {
    if (this.args.path === undefined) {
      throw new WnError('usage', '--resolve needs a path', {
        hint: 'nothing was changed; . is everything here',
      });
    }
    const choice: Choice =
      answer === 'mine' || answer === 'theirs' ? { take: answer } : { take: 'value', text: answer };
    const { field } = this.flags;
    const resolved = await resolveConflicts(repository.work, {
      path: repository.path(this.args.path),
      matches: (conflict) => field === undefined || conflictFieldName(conflict) === field,
      choice,
    });
    const answered = committedResult(resolved);
    const counts = { resolved: resolved.resolved, remaining: resolved.remaining };
    return answered instanceof Outcome
      ? new Outcome({ ...answered.result, ...counts }, EXIT.partly)
      : { ...answered, ...counts };
  }

  protected render(result: ConflictsResult, out: TextOutput): void {
    if ('resolved' in result) renderResolved(result, out);
    else renderList(result, out);
  }
}

type Key = readonly [path: string, kind: string, field: string];

function keyOf({ path, kind, field }: ConflictShown): Key {
  return [path, kind, field ?? ''];
}

function compareKeys(a: Key, b: Key): number {
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? '';
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}

function isKey(value: unknown): value is Key {
  return (
    Array.isArray(value) && value.length === 3 && value.every((part) => typeof part === 'string')
  );
}

function renderResolved(result: ResolvedResult, out: TextOutput): void {
  renderCommitted(result, out);
  out.line`${result.resolved} resolved, ${result.remaining} left`;
}

function renderList({ items, total, next }: Page<ConflictShown>, out: TextOutput): void {
  const { style } = out;
  for (const { path, kind, field, kept, lost } of items) {
    out.line`${style.bold(path)}  ${style.yellow(field ?? kind)}`;
    out.line`  kept ${valueText(kept)}`;
    for (const { value, by, byName, time, commit } of lost) {
      out.line`  lost ${valueText(value)}  ${style.dim(`${authorName(by, byName)} ${shortTime(time)}`)}`;
      if (kind === 'body' && commit !== null) {
        out.line`  ${style.dim(`read it: wn show ${path} --at ${commit.slice(0, 10)}`)}`;
      }
    }
  }
  if (items.length === 0) out.line('no conflicts');
  else if (next !== null)
    out.line`${style.dim(`${items.length} of ${total}; more: --after ${next}`)}`;
}

function valueText(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'size' in value)
    return counted(Number(value.size), 'byte');
  return value === null ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
