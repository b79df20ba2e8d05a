/** What push, pull and sync share: the choice of remotes, the commit before, the answer. */
import { EXIT, WnError } from '../core/errors.js';
import { settingOf } from '../repo/setting.js';
import type { Remote } from '../repo/settings.js';
import type { SyncMode } from '../sync/frames.js';
import { ago } from './ago.js';
import type { Context } from './context.js';
import { counted } from './counted.js';
import { isWholeLan } from './address.js';
import { exchange } from './exchanges.js';
import { follow, type Followed } from './follow.js';
import type { LanWish } from './lan.js';
import { Outcome } from './outcome.js';
import type { TextOutput } from './output.js';
import type { RemoteEnd } from './remoteEnd.js';
import { recallRemote } from './remotes.js';
import { openRepository, type Repository } from './repository.js';

export interface RemoteResult {
  readonly name: string;
  readonly ok: boolean;
  readonly sent: number;
  readonly received: number;
  readonly bytes: number;
  readonly ms: number;
  /** The device wasn't there: what it lacks, as far as is known, waits in its mailbox. */
  readonly mailbox?: true;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** It failed, and was in step so recently that this doesn't count: so long ago, milliseconds. */
  readonly toleratedMs?: number;
}

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
  /** Null: all. */
  readonly remotes: readonly string[] | null;
  /** Members in the local network too. */
  readonly lan: boolean;
  /** Commit what changed first; null: don't. */
  readonly commit: { readonly message: string | null } | null;
  readonly failOnConflict: boolean;
  /** For how long to try again what may go well a moment later, milliseconds; absent: not at all. */
  readonly retryMs?: number;
  /** A remote that was in step so recently may be out of reach, milliseconds; absent: none may. */
  readonly tolerateMs?: number;
}

const NO_REMOTE = 'no remote is configured; add one: wn remote add NAME ADDRESS';

/** Throws the failure of an only remote; several of which some fail are exit 3. */
export async function synchronise(
  context: Context,
  wish: SyncWish,
): Promise<SyncResult | Outcome<SyncResult>> {
  const { repository, remotes, lan } = await begin(context, wish);
  const { mode, retryMs = 0, tolerateMs = 0 } = wish;
  const exchanged = await exchange(context, repository, remotes, mode, { retryMs, lan });
  const { ends, notes, ...rest } = exchanged;
  const shown = await Promise.all(ends.map((end) => resultOf(repository, end, tolerateMs)));
  const said = remotes.length === 0 && lan === null ? [NO_REMOTE] : notes;
  const result = { remotes: shown, ...rest, ...(said.length > 0 && { note: said.join('; ') }) };
  const failed = shown.filter(({ ok, toleratedMs }) => !ok && toleratedMs === undefined);
  const [only] = ends;
  if (failed.length > 0 && ends.length === 1 && only?.error) throw withNotes(only.error, notes);
  if (failed.length > 0) return new Outcome(result, EXIT.partly, sayFailed(failed, shown));
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

interface Begun {
  readonly repository: Repository;
  readonly remotes: readonly Remote[];
  readonly lan: LanWish | null;
}

async function begin(context: Context, wish: SyncWish): Promise<Begun> {
  const repository = await openRepository(context);
  if (wish.commit !== null) {
    await repository.work.commit({
      message: wish.commit.message,
      unattended: !context.interactive,
    });
  }
  const all = chosen(repository, wish.remotes);
  const remotes = all.filter(({ url }) => !isWholeLan(url));
  return { repository, remotes, lan: lanWish(repository, wish, all) };
}

/** Asked for by the flag or a remote; or by the setting, where nothing else is named. */
function lanWish(
  { replica }: Repository,
  { lan, remotes }: SyncWish,
  chosen: readonly Remote[],
): LanWish | null {
  const named = chosen.find(({ url }) => isWholeLan(url));
  if (named !== undefined) return { name: named.name, remembered: true, required: true };
  if (lan) return { name: 'lan', remembered: false, required: true };
  const looks = remotes === null && settingOf(replica.config, 'discovery.lan');
  return looks ? { name: 'lan', remembered: false, required: false } : null;
}

/** Throws `not_found`. */
function chosen({ replica }: Repository, names: readonly string[] | null): readonly Remote[] {
  const { remotes } = replica.config;
  if (names === null) return remotes;
  return [...new Set(names)].map((name) => {
    const found = remotes.find((remote) => remote.name === name);
    if (found !== undefined) return found;
    const known = remotes.map((remote) => remote.name).join(', ');
    throw new WnError('not_found', `no remote is named ${name}`, {
      hint: known === '' ? NO_REMOTE : `there are: ${known}`,
    });
  });
}

async function resultOf(
  repository: Repository,
  { name, sent, received, bytes, ms, error, mailbox }: RemoteEnd,
  tolerateMs: number,
): Promise<RemoteResult> {
  const counts = { sent, received, bytes, ms };
  if (error === null) return { name, ok: true, ...counts, ...(mailbox && { mailbox }) };
  const { code, message, hint } = error;
  const shown = { code, message, ...(hint !== undefined && { hint }) };
  const sinceMs = AWAY.has(code) ? await sinceInStep(repository, name) : null;
  const tolerated = sinceMs !== null && sinceMs <= tolerateMs;
  return { name, ok: false, ...counts, error: shown, ...(tolerated && { toleratedMs: sinceMs }) };
}

/** What can be tolerated for a while; to be refused, or damage, can't. */
const AWAY: ReadonlySet<string> = new Set(['unreachable', 'busy']);

/** Null for a remote that has never been in step. */
async function sinceInStep({ replica }: Repository, name: string): Promise<number | null> {
  const { storage, clock } = replica.ports;
  const memory = await recallRemote(storage, name);
  return memory === null ? null : clock.wallMs() - Date.parse(memory.lastOkAt);
}

/** An error has no room for notes but its hint. */
function withNotes(error: WnError, notes: readonly string[]): WnError {
  if (notes.length === 0) return error;
  const hint = [error.hint, ...notes].filter((each) => each !== undefined).join('; ');
  return new WnError(error.code, error.message, { hint, details: error.details, cause: error });
}

function sayFailed(failed: readonly RemoteResult[], all: readonly RemoteResult[]): string {
  const names = failed.map(({ name }) => name).join(', ');
  return `${failed.length} of ${all.length} remotes failed (${names}); the rest is done`;
}

export function renderSync(result: SyncResult, out: TextOutput): void {
  const { style } = out;
  if (result.note !== undefined) out.line(result.note);
  for (const { name, ok, sent, received, mailbox, error, toleratedMs } of result.remotes) {
    const why = error?.message ?? 'failed';
    if (mailbox) out.line`${name}: not there; what it lacks waits in its mailbox at the relay`;
    else if (ok) out.line`${style.green(name)}: ${sent} sent, ${received} received`;
    else if (toleratedMs === undefined) out.line`${style.red(name)}: ${why}`;
    else out.line`${style.yellow(name)}: ${why}; in step ${ago(toleratedMs)}, which is tolerated`;
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
