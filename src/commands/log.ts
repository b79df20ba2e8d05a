/** Lists commits, newest first. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import { authorName, shortTime } from '../cli/authorship.js';
import { commitLine, depsOf, type CommitLine } from '../cli/commitShown.js';
import { counted } from '../cli/counted.js';
import { graphColumns, type GraphRow } from '../cli/graph.js';
import type { Cell, TextOutput } from '../cli/output.js';
import { pageFlags, type Page } from '../cli/paging.js';
import { openRepository } from '../cli/repository.js';
import { resolveRevision } from '../cli/revision.js';
import { timeline } from '../cli/timeline.js';
import { showId } from '../core/ids.js';
import type { CommitRef } from '../repo/history.js';
import type { Replica } from '../repo/replica.js';

interface LogItem extends CommitLine {
  /** With `--graph`: heads of other logs that its author had newly seen. */
  readonly deps?: readonly string[];
}

interface LogResult extends Page<LogItem> {
  readonly graph?: readonly string[];
}

export default class Log extends WnCommand<typeof Log, LogResult> {
  static override readonly summary = 'List commits, newest first';
  static override readonly description =
    'In the order of their stamps, of all devices or one. With a path, only commits that touched ' +
    'what is there or below; one that is deleted is found by its last path.';
  static override readonly args = {
    path: Args.string({ description: 'Only what touched this path.' }),
  };
  static override readonly flags = {
    since: Flags.string({
      helpValue: 'REV',
      description: 'Only what is not in that revision: "2h ago", a commit, …',
    }),
    author: Flags.string({
      helpValue: 'DEVICE',
      description: 'Only of this device: its name, or its did:key.',
    }),
    ...pageFlags,
    graph: Flags.boolean({ description: 'Draw which logs had seen which.' }),
  };
  static override readonly examples = [
    'wn log --limit 10',
    'wn log docs/ --since "2d ago"',
    'wn log --author laptop',
  ];
  static override readonly result =
    '{items: [{commit, device, deviceName, seq, hlc, time, msg, ops, level, valid}], total, next}';
  static override readonly paged = true;

  protected async execute(): Promise<LogResult> {
    const repository = await openRepository(this.context);
    const { replica } = repository;
    const { since, author, limit, after, graph } = this.flags;
    const { path } = this.args;
    if (path !== undefined) await repository.flush();
    const nowMs = this.context.clock.wallMs();
    const page = timeline(replica, {
      path: path === undefined ? null : repository.path(path),
      since: since === undefined ? new Map() : resolveRevision(replica, since, nowMs).frontier,
      author: author ?? null,
      limit,
      after,
    });
    const items = page.items.map((ref): LogItem => ({
      ...commitLine(replica, ref),
      ...(graph && { deps: depsOf(replica, ref).map(showId) }),
    }));
    const columns = graph
      ? graphColumns(page.items.map((ref) => graphRow(replica, ref)))
      : undefined;
    return { ...page, items, ...(columns && !this.context.json && { graph: columns }) };
  }

  protected render({ items, total, next, graph }: LogResult, out: TextOutput): void {
    const { style } = out;
    out.table(
      items.map((item, index): Cell[] => [
        ...(graph === undefined ? [] : [graph[index] ?? '']),
        style.yellow(item.commit.slice(0, 10)),
        style.dim(shortTime(item.time)),
        style.cyan(authorName(item.device, item.deviceName)),
        item.valid ? messageLine(item) : style.red(`${messageLine(item)} (counts for nothing)`),
      ]),
    );
    if (items.length === 0) out.line('no commits');
    else if (next !== null)
      out.line`${style.dim(`${items.length} of ${total}; more: --after ${next}`)}`;
  }
}

function messageLine({ msg, ops, part }: CommitLine): string {
  const first = msg?.split('\n', 1)[0] ?? '';
  if (first !== '') return first;
  const count = counted(ops, 'operation');
  return part === true ? `(${count}, a part of the next)` : `(${count})`;
}

function graphRow(replica: Replica, ref: CommitRef): GraphRow {
  const { history } = replica;
  const record = history.log(ref.log);
  const first = record?.firstSeq === ref.seq;
  const link = first ? (record.link?.log ?? null) : null;
  const parents = depsOf(replica, ref).flatMap((dep) => history.find(dep)?.log ?? []);
  return { log: ref.log, parents: link === null ? parents : [...parents, link], first };
}
