/** Shows one worknode, or one commit. */
import { Args, Flags, WnCommand } from '../cli/command.js';
import { authorName, shortTime } from '../cli/authorship.js';
import { commitShown, type CommitShown } from '../cli/commitShown.js';
import { counted } from '../cli/counted.js';
import { opText } from '../cli/operations.js';
import type { TextOutput } from '../cli/output.js';
import { openRepository, type Repository } from '../cli/repository.js';
import { resolveRevision } from '../cli/revision.js';
import { schemaForReading, worknodeShown, type WorknodeShown } from '../cli/worknode.js';
import { WnError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { CommitRef } from '../repo/history.js';
import { pastOf, type Folded } from '../repo/past.js';
import { commitByPrefix, isIdPrefix, nodeByPrefix } from '../repo/prefix.js';

type ShowResult = WorknodeShown | CommitShown;

export default class Show extends WnCommand<typeof Show, ShowResult> {
  static override readonly summary = 'Show a file, a folder or a commit';
  static override readonly description =
    'A file with its fields, body and last author; a folder with the fields of its README.md; a ' +
    'commit with its operations. What is no path is taken for the beginning of an id, or for @~N. ' +
    'With --at the path is looked up, and shown, as it was then.';
  static override readonly args = {
    what: Args.string({
      description: 'A path, a commit or a worknode id. Default: the workspace.',
    }),
  };
  static override readonly flags = {
    at: Flags.string({ helpValue: 'REV', description: 'As it was at that revision.' }),
  };
  static override readonly examples = [
    'wn show tasks/7.md',
    'wn show backup.md --at "2h ago"',
    'wn show @~1 --json',
  ];
  static override readonly result =
    '{id, path, type, declared, fields, body, by, byName, hlc, time, created} or {commit, device, deviceName, seq, hlc, time, msg, ops: [{op, path, …}], level, valid}';
  static override readonly paged = true;

  protected async execute(): Promise<ShowResult> {
    const repository = await openRepository(this.context);
    const { replica, work } = repository;
    const folded = await this.foldedAt(repository);
    const schema = schemaForReading(work);
    const { what } = this.args;
    const node = what === undefined ? replica.root : nodeAtPath(repository, folded, what);
    if (node !== null) return worknodeShown(replica, folded, node, schema);
    const commit = what === undefined ? null : this.commitNamed(repository, what);
    if (commit !== null) return commitShown(replica, commit);
    const hidden = what === undefined ? null : await hiddenNode(repository, what);
    if (hidden !== null) return worknodeShown(replica, folded, hidden, schema);
    throw new WnError('not_found', `nothing at ${what ?? ''}, and no id here begins so`, {
      hint: 'see wn list and wn log; a new file is known once it is committed',
    });
  }

  private async foldedAt(repository: Repository): Promise<Folded> {
    const { at } = this.flags;
    if (at === undefined) return repository.replica;
    await repository.flush();
    const nowMs = this.context.clock.wallMs();
    return pastOf(repository.replica, resolveRevision(repository.replica, at, nowMs).frontier);
  }

  private commitNamed({ replica }: Repository, word: string): CommitRef | null {
    if (word.startsWith('@'))
      return resolveRevision(replica, word, this.context.clock.wallMs()).commit;
    return isIdPrefix(word) ? commitByPrefix(replica.history, word) : null;
  }

  protected render(result: ShowResult, out: TextOutput): void {
    if ('commit' in result) renderCommit(result, out);
    else renderWorknode(result, out);
  }
}

function nodeAtPath(repository: Repository, { view }: Folded, what: string): NodeId | null {
  const path = repository.path(what);
  return path === '' ? view.root : (view.entry(path)?.node ?? null);
}

/** A worknode by its id: it needn't show. */
async function hiddenNode(repository: Repository, word: string): Promise<NodeId | null> {
  if (!isIdPrefix(word)) return null;
  await repository.flush();
  return nodeByPrefix(repository.replica.tables, word);
}

function renderWorknode(shown: WorknodeShown, out: TextOutput): void {
  const { style } = out;
  const kind = [shown.declared, shown.type === 'file' ? null : shown.type].filter(
    (part) => part !== null,
  );
  const place = shown.path === '' ? '(the workspace)' : shown.path;
  const notes = [
    ...kind,
    ...(shown.children === undefined ? [] : [counted(shown.children, 'entry', 'entries')]),
    ...(shown.deleted === true ? ['deleted'] : []),
    ...(shown.conflict === true ? ['has conflicts: wn conflicts'] : []),
  ];
  out.line`${style.bold(place)}${notes.length === 0 ? '' : style.dim(`  ${notes.join(', ')}`)}`;
  for (const [name, value] of Object.entries(shown.fields)) {
    out.line`${style.cyan(name)}: ${typeof value === 'string' ? value : JSON.stringify(value)}`;
  }
  if (shown.byName !== undefined) {
    const { by = '', byName, time = '', created } = shown;
    const made =
      created === null
        ? ''
        : `, made ${shortTime(created.time)} by ${authorName(created.by, created.byName)}`;
    out.line`${style.dim(`changed ${shortTime(time)} by ${authorName(by, byName)}${made}`)}`;
  }
  if (shown.body !== null) {
    out.line();
    out.block(shown.body);
  } else if (shown.size !== undefined) {
    out.line`${counted(shown.size, 'byte')}${shown.missing === true ? ', not all of them here: wn sync' : ''}, ${shown.hash ?? ''}`;
  }
}

function renderCommit(shown: CommitShown, out: TextOutput): void {
  const { style } = out;
  out.line`${style.yellow(shown.commit)}${shown.valid ? '' : style.red('  counts for nothing')}`;
  out.line`${authorName(shown.device, shown.deviceName)}, ${shown.time}`;
  if (shown.msg !== null) {
    out.line();
    for (const line of shown.msg.trimEnd().split('\n')) out.line`    ${line}`;
  }
  out.line();
  out.table(shown.ops.map((op) => [op.path ?? '', opText(op)]));
}
