/** What changed since the last commit, and how this copy stands. */
import { Args, Flags, Outcome, WnCommand } from '../cli/command.js';
import { counted } from '../cli/counted.js';
import { complaint, showRemote } from '../cli/lag.js';
import type { TextOutput } from '../cli/output.js';
import { startProgress } from '../cli/progress.js';
import { remoteStatuses, type RemoteStatus } from '../cli/remotes.js';
import { openRepository } from '../cli/repository.js';
import { EXIT } from '../core/errors.js';
import { showId } from '../core/ids.js';
import type { Invalid } from '../tree/invalid.js';
import type { Refused, SkippedPatterns } from '../tree/scan.js';
import type { Change } from '../tree/workcopy.js';

interface StatusResult {
  readonly clean: boolean;
  readonly changes: readonly Change[];
  readonly refused: readonly Refused[];
  /** New paths that could be a move of several vanished ones; taken as new. */
  readonly ambiguous: readonly string[];
  /** Files whose fields can't be read (they stay as they were) or aren't allowed; a broken wn.yaml. */
  readonly invalid: readonly Invalid[];
  /** By folder, ignore patterns that are too many or take too long. */
  readonly skippedPatterns: readonly SkippedPatterns[];
  readonly frontier: readonly string[];
  /** Commits that wait for their time or for others. */
  readonly pending: number;
  /** Commits that need a newer wn. */
  readonly held: number;
  readonly conflicts: number;
  readonly group: null;
  readonly remotes: readonly RemoteStatus[];
}

const MARKS = { added: 'A', modified: 'M', deleted: 'D', moved: 'R' } as const;

export default class Status extends WnCommand<typeof Status, StatusResult> {
  static override readonly summary = 'Show what changed since the last commit';
  static override readonly description =
    'Lists files that were added, modified, deleted or moved, those that wn will not take, and ' +
    'how far this copy is from its remotes, as of the last exchange with each. Takes no lock and ' +
    'writes nothing. With --check it also exits 4 if something is not committed, an overlap is ' +
    'open, or a remote lacks a commit or is known to hold one that is not here.';
  static override readonly args = {
    path: Args.string({ description: 'Only this path and what is below it.' }),
  };
  static override readonly flags = {
    check: Flags.boolean({
      description:
        'Exit 4 unless all is committed, no overlap is open and every remote is in step.',
    }),
    'max-lag': Flags.duration({
      dependsOn: ['check'],
      description: 'A remote counts as in step for so long after an exchange that went well.',
    }),
  };
  static override readonly examples = [
    'wn status',
    'wn status docs/ --json',
    'wn status --check --max-lag 1d',
  ];
  static override readonly result =
    '{clean, changes: [{path, change, from?}], refused, ambiguous, invalid, skippedPatterns, frontier, pending, held, conflicts, group, remotes}';

  protected async execute(): Promise<StatusResult | Outcome<StatusResult>> {
    const repository = await openRepository(this.context);
    const { replica, work } = repository;
    const under = repository.existing(this.args.path === undefined ? [] : [this.args.path]);
    const progress = startProgress(this.context, 'looking');
    const tree = await work.status(under, (files) => {
      progress.update(files);
    });
    await progress.end();
    const result = {
      clean: tree.changes.length === 0,
      changes: tree.changes,
      refused: tree.refused,
      ambiguous: tree.ambiguous,
      invalid: tree.invalid,
      skippedPatterns: tree.skippedPatterns,
      frontier: replica.view.frontier().map(showId),
      ...replica.view.waiting(),
      conflicts: replica.view.conflictCount(),
      group: null,
      remotes: await remoteStatuses(replica),
    };
    return this.flags.check ? this.checked(result) : result;
  }

  private checked(result: StatusResult): StatusResult | Outcome<StatusResult> {
    const { changes, conflicts, remotes } = result;
    const nowMs = this.context.clock.wallMs();
    const against = [
      changes.length > 0 ? `${counted(changes.length, 'change')} not committed` : null,
      conflicts > 0 ? `${counted(conflicts, 'overlap')} open` : null,
      ...remotes.map((remote) => complaint(remote, nowMs, this.flags['max-lag'])),
    ].filter((each) => each !== null);
    if (against.length === 0) return result;
    return new Outcome(result, EXIT.conditionNotMet, against.join('; '));
  }

  protected render(result: StatusResult, out: TextOutput): void {
    const { style } = out;
    if (result.clean) out.line('nothing changed since the last commit');
    for (const { path, change, from } of result.changes) {
      const mark = style[change === 'deleted' ? 'red' : 'green'](MARKS[change]);
      if (from === undefined) out.line`${mark} ${path}`;
      else out.line`${mark} ${from} → ${path}`;
    }
    for (const { path, why } of result.refused) out.line`${style.yellow('!')} ${path}: ${why}`;
    for (const path of result.ambiguous) {
      out.line`${style.yellow('?')} ${path}: may be a move of several; taken as new (wn mv tells)`;
    }
    for (const { path, code, why } of result.invalid) {
      out.line`${style.yellow('!')} ${path}: ${code}: ${why}`;
    }
    for (const { folder, first, count } of result.skippedPatterns) {
      const which = count === 1 ? first : `${first} and ${count - 1} more`;
      out.line`${style.yellow('!')} ${folder}/: ignore patterns not applied, too slow or too many: ${which}`;
    }
    if (result.conflicts > 0) {
      out.line`${counted(result.conflicts, 'overlap')} merged; both sides: wn conflicts`;
    }
    if (result.pending > 0) {
      out.line`${counted(result.pending, 'commit')} waiting for their time, or for others before them`;
    }
    if (result.held > 0)
      out.line`${counted(result.held, 'commit')} kept for a newer wn, which it takes to read them`;
    const nowMs = this.context.clock.wallMs();
    for (const remote of result.remotes) out.line(showRemote(remote, nowMs));
  }
}
