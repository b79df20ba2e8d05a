/** Shows what changed, as a unified diff. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import { counted } from '../cli/counted.js';
import { Styled, type TextOutput } from '../cli/output.js';
import { openRepository, type Repository } from '../cli/repository.js';
import { resolveRevision } from '../cli/revision.js';
import { escapeBlock } from '../cli/terminal.js';
import { schemaForReading } from '../cli/worknode.js';
import { frontierNow, type Frontier } from '../repo/frontier.js';
import { pastOf, touchedBetween } from '../repo/past.js';
import { compareViews, compareWorking } from '../tree/changes.js';
import type { AttributeChange, Changed, FieldChange, FileDiff, Hunk } from '../tree/compare.js';
import { toJson } from '../tree/field.js';

interface DiffResult {
  readonly files: readonly FileDiffShown[];
}

type FileDiffShown = Omit<FileDiff, 'fields'> & {
  readonly fields: readonly (Changed<unknown> & { readonly field: string })[];
};

export default class Diff extends WnCommand<typeof Diff, DiffResult> {
  static override readonly summary = 'Show what changed';
  static override readonly description =
    'Of the working directory since the last commit, new files included; with --from since that ' +
    'revision, with --to between two. Lines as a unified diff; changed front matter also as fields.';
  static override readonly args = {
    path: Args.string({ multiple: true, description: 'Only this path and what is below it.' }),
  };
  static override readonly flags = {
    from: Flags.string({
      helpValue: 'REV',
      description: 'Since that revision. Default: the last commit.',
    }),
    to: Flags.string({
      helpValue: 'REV',
      description: 'Up to that revision. Default: the files as they are.',
    }),
  };
  static override readonly examples = [
    'wn diff',
    'wn diff docs/ --from "1d ago"',
    'wn diff --from @~1 --to @',
  ];
  static override readonly result =
    '{files: [{path, change, from?, fields: [{field, from, to}], attributes, hunks: [{oldStart, oldLines, newStart, newLines, lines}], binary?}]}';
  static override readonly paged = true;

  protected async execute(): Promise<DiffResult> {
    const repository = await openRepository(this.context);
    await repository.flush();
    const paths = this.args.path ?? [];
    // What was at a path at another revision may be nowhere by now.
    const isPast = this.flags.from !== undefined || this.flags.to !== undefined;
    const under = isPast ? repository.under(paths) : repository.existing(paths);
    const files = await this.compare(repository, under);
    return { files: files.map((file) => ({ ...file, fields: file.fields.map(fieldShown) })) };
  }

  private async compare(
    repository: Repository,
    under: readonly string[] | undefined,
  ): Promise<readonly FileDiff[]> {
    const { replica, work } = repository;
    const now = frontierNow(replica.history);
    const from = this.frontier(repository, this.flags.from) ?? now;
    const to = this.frontier(repository, this.flags.to);
    const before = from === now ? replica : pastOf(replica, from);
    if (to !== undefined) {
      return compareViews(before, pastOf(replica, to), touchedBetween(replica, from, to), under);
    }
    const touched = from === now ? [] : touchedBetween(replica, from, now);
    return compareWorking(work, schemaForReading(work), before, touched, under);
  }

  private frontier({ replica }: Repository, rev: string | undefined): Frontier | undefined {
    if (rev === undefined) return undefined;
    return resolveRevision(replica, rev, this.context.clock.wallMs()).frontier;
  }

  protected render({ files }: DiffResult, out: TextOutput): void {
    for (const file of files) renderFile(file, out);
  }
}

function fieldShown({ field, from, to }: FieldChange): FileDiffShown['fields'][number] {
  return { field, from: toJson(from), to: toJson(to) };
}

/** What stands above the hunks no program takes for a patch's. */
function renderFile(file: FileDiffShown, out: TextOutput): void {
  const { style } = out;
  out.line`${style.bold(`${file.change} ${file.from === undefined ? '' : `${file.from} -> `}${file.path}`)}`;
  for (const { field, from, to } of file.fields) {
    out.line`${style.cyan(field)}: ${valueText(from)} -> ${valueText(to)}`;
  }
  for (const change of file.attributes) out.line(attributeText(change));
  if (file.binary !== undefined) {
    const { from, to } = file.binary;
    out.line`binary: ${from === null ? 'none' : counted(from.size, 'byte')} -> ${to === null ? 'none' : counted(to.size, 'byte')}`;
  }
  if (file.hunks.length === 0) return;
  out.line`${style.bold(file.change === 'added' ? '--- /dev/null' : `--- a/${file.from ?? file.path}`)}`;
  out.line`${style.bold(file.change === 'deleted' ? '+++ /dev/null' : `+++ b/${file.path}`)}`;
  for (const hunk of file.hunks) renderHunk(hunk, out);
}

function renderHunk(
  { oldStart, oldLines, newStart, newLines, lines }: Hunk,
  out: TextOutput,
): void {
  const { style } = out;
  out.line`${style.cyan(`@@ -${rangeText(oldStart, oldLines)} +${rangeText(newStart, newLines)} @@`)}`;
  for (const line of lines) {
    // Escaped here, because a diff keeps its tabs.
    const safe = new Styled(escapeBlock(line), line.length);
    if (line.startsWith('+')) out.line`${style.green(safe)}`;
    else if (line.startsWith('-')) out.line`${style.red(safe)}`;
    else out.line`${safe}`;
  }
}

function rangeText(start: number, count: number): string {
  return count === 1 ? String(start) : `${start},${count}`;
}

function valueText(value: unknown): string {
  return value === null ? 'none' : JSON.stringify(value);
}

function attributeText({ attribute, from, to }: AttributeChange): string {
  return `${attribute}: ${String(from ?? 'none')} -> ${String(to ?? 'none')}`;
}
