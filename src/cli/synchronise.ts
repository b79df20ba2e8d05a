/** What push, pull and sync share: the choice of remotes, the commit before, the answer. */
import { EXIT, WnError } from '../core/errors.js';
import type { Remote } from '../repo/settings.js';
import type { SyncMode } from '../sync/frames.js';
import type { Context } from './context.js';
import { counted } from './counted.js';
import { exchange, type Exchanged, type RemoteResult } from './exchange.js';
import { follow, type Followed } from './follow.js';
import { Outcome } from './outcome.js';
import type { TextOutput } from './output.js';
import { openRepository, type Repository } from './repository.js';

export interface SyncResult {
  readonly remotes: readonly RemoteResult[];
  readonly applied: number;
  readonly merged: readonly string[];
  readonly waiting: readonly string[];
  readonly conflicts: number;
  readonly note?: string;
}

export interface SyncWish {
  readonly mode: SyncMode;
  readonly remotes: readonly string[];
  /** Commit what changed first; null: don't. */
  readonly commit: { readonly message: string | null } | null;
  readonly failOnConflict: boolean;
}

const NO_REMOTE = 'no remote is configured; add one: wn remote add NAME ADDRESS';

/** Throws the failure of an only remote; several of which some fail are exit 3. */
export async function synchronise(
  context: Context,
  wish: SyncWish,
): Promise<SyncResult | Outcome<SyncResult>> {
  const { repository, remotes } = await begin(context, wish);
  const exchanged = await exchange(context, repository, remotes, wish.mode);
  const { failures } = exchanged;
  const result = resultOf(exchanged, remotes.length === 0);
  const [only] = failures;
  if (only !== undefined && remotes.length === 1) throw only;
  if (failures.length > 0) return new Outcome(result, EXIT.partly);
  if (wish.failOnConflict && result.conflicts > 0) return new Outcome(result, EXIT.conditionNotMet);
  return result;
}

/** Stays connected to the remotes until it is interrupted. Throws where there is none. */
export async function stayInSync(
  context: Context,
  wish: SyncWish,
  told: (what: Followed) => Promise<void>,
): Promise<void> {
  const { repository, remotes } = await begin(context, wish);
  if (remotes.length === 0) throw new WnError('usage', 'nothing to follow', { hint: NO_REMOTE });
  await follow(context, repository, remotes, told);
}

async function begin(
  context: Context,
  wish: SyncWish,
): Promise<{ readonly repository: Repository; readonly remotes: readonly Remote[] }> {
  const repository = await openRepository(context);
  if (wish.commit !== null) {
    await repository.work.commit({
      message: wish.commit.message,
      unattended: !context.interactive,
    });
  }
  return { repository, remotes: chosen(repository, wish.remotes) };
}

/** All, if none is named. Throws `not_found`. */
function chosen({ replica }: Repository, names: readonly string[]): readonly Remote[] {
  const { remotes } = replica.config;
  if (names.length === 0) return remotes;
  return names.map((name) => {
    const found = remotes.find((remote) => remote.name === name);
    if (found !== undefined) return found;
    const known = remotes.map((remote) => remote.name).join(', ');
    throw new WnError('not_found', `no remote is named ${name}`, {
      hint: known === '' ? NO_REMOTE : `there are: ${known}`,
    });
  });
}

function resultOf(
  { remotes, applied, merged, waiting, conflicts }: Exchanged,
  none: boolean,
): SyncResult {
  const result = { remotes, applied, merged, waiting, conflicts };
  return none ? { ...result, note: NO_REMOTE } : result;
}

export function renderSync(result: SyncResult, out: TextOutput): void {
  const { style } = out;
  if (result.note !== undefined) out.line(result.note);
  for (const { name, ok, sent, received, error } of result.remotes) {
    if (ok) out.line`${style.green(name)}: ${sent} sent, ${received} received`;
    else out.line`${style.red(name)}: ${error?.message ?? 'failed'}`;
  }
  for (const path of result.merged) out.line`${path} merged with what you are editing`;
  for (const path of result.waiting) {
    out.line`${style.yellow('!')} ${path} has arrived, but a file of yours stands there: wn commit`;
  }
  if (result.remotes.some((remote) => remote.ok)) {
    out.line`${counted(result.applied, 'file')} written, ${counted(result.conflicts, 'conflict')}`;
  }
}

export function renderFollowed(what: Followed, out: TextOutput): void {
  const { style } = out;
  const { remote, error, sent, received, applied, conflicts } = what;
  if (error !== null) out.line`${style.red(remote)}: ${error}`;
  else {
    const files = `${counted(applied, 'file')} written, ${counted(conflicts, 'conflict')}`;
    out.line`${style.green(remote)}: ${sent} sent, ${received} received; ${files}`;
  }
}
