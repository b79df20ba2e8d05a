/**
 * Mailboxes at a relay: what a device that isn't there lacks is left for it, and what others
 * have left for this one is taken in. Used by itself wherever a remote is behind a relay.
 */
import { utf8 } from '../core/bytes.js';
import { WnError } from '../core/errors.js';
import type { DeviceId } from '../core/ids.js';
import { MAILBOX_KEPT_MS, MAILBOX_SENDERS_MAX } from '../core/limits.js';
import type { Remote } from '../repo/settings.js';
import type { SyncMode } from '../sync/frames.js';
import { covers, vectorOf } from '../sync/have.js';
import { isUnavailable } from '../sync/relay/client.js';
import { collect, deposit } from '../sync/relay/deposit.js';
import { openMailbox, type OpenMailbox } from '../sync/relay/mailclient.js';
import { mailboxOf, type Mailbox } from '../sync/relay/seal.js';
import { ReplicaStore } from '../sync/replicastore.js';
import type { HaveEntry } from '../sync/store.js';
import { parseAddress, type RelayAddress, type RelayPlace } from './address.js';
import type { Context } from './context.js';
import { greetRelay } from './dialrelay.js';
import { recallRemote } from './remotes.js';
import { deviceKey, type Repository } from './repository.js';

/** What was left for a remote, so that the next deposit goes on from there. */
interface Left {
  readonly atMs: number;
  readonly have: readonly HaveEntry[];
}

const leftPath = (name: string): string => `remotes/${name}.mailbox`;

/**
 * Leaves what `remote` lacks, as far as is known here. False if it lacks nothing that isn't
 * waiting for it already and nothing is.
 */
export async function leaveMail(
  context: Context,
  { replica }: Repository,
  remote: Remote,
  address: RelayAddress,
): Promise<boolean> {
  const { storage, clock, rng } = replica.ports;
  const store = new ReplicaStore(replica);
  const have = store.have();
  const left = await recallLeft(storage, remote.name, clock.wallMs());
  const known = (await recallRemote(storage, remote.name))?.have ?? [];
  const since = left !== null && covers(vectorOf(left.have), vectorOf(known)) ? left.have : known;
  if (covers(vectorOf(since), vectorOf(have))) return since === left?.have;
  const { seed } = await deviceKey(context);
  const mailbox = mailboxOf(seed, replica.device, address.device, replica.ws);
  if (mailbox === null) return false;
  await withMailbox(address, mailbox, (open) => deposit(store, since, mailbox, open, rng));
  const text = JSON.stringify({ atMs: clock.wallMs(), have } satisfies Left);
  await storage.replace(leftPath(remote.name), utf8(text));
  return true;
}

/** Null once the relay may have thrown it away. */
async function recallLeft(
  storage: Repository['replica']['ports']['storage'],
  name: string,
  nowMs: number,
): Promise<Left | null> {
  const bytes = await storage.read(leftPath(name));
  if (bytes === null) return null;
  try {
    const left = JSON.parse(Buffer.from(bytes).toString('utf8')) as Left;
    return Math.abs(nowMs - left.atMs) < MAILBOX_KEPT_MS ? left : null;
  } catch {
    return null; // what can't be read is none: more is left than was needed
  }
}

/** Takes in what others have left here for this device; gives how many commits were new. */
export async function collectMail(
  context: Context,
  { replica }: Repository,
  place: RelayPlace,
): Promise<number> {
  const store = new ReplicaStore(replica);
  const { seed } = await deviceKey(context);
  let added = 0;
  for (const sender of sendersTo(store.have(), replica.device)) {
    const mailbox = mailboxOf(seed, sender, replica.device, replica.ws);
    if (mailbox === null) continue;
    added += await withMailbox(place, mailbox, (open) => collect(store, mailbox, seed, open));
  }
  return added;
}

/** The devices that have ever written here. */
function sendersTo(have: readonly HaveEntry[], own: DeviceId): readonly DeviceId[] {
  const devices = new Set(have.map(({ dev }) => dev));
  devices.delete(own);
  return [...devices].slice(0, MAILBOX_SENDERS_MAX);
}

async function withMailbox<T>(
  place: RelayPlace,
  mailbox: Mailbox,
  use: (open: OpenMailbox) => Promise<T>,
): Promise<T> {
  const greeted = await greetRelay(place);
  try {
    return await use(await openMailbox(greeted, mailbox.key));
  } finally {
    greeted.line.close();
  }
}

/** What came by mail from the relays of these remotes, before anything is exchanged with them. */
export async function mailBefore(
  context: Context,
  here: Repository,
  remotes: readonly Remote[],
  mode: SyncMode,
): Promise<ReadonlyMap<string, number>> {
  const added = new Map<string, number>();
  for (const remote of mode === 'push' ? [] : remotes) {
    const address = relayOf(here, remote);
    if (address === null) continue;
    // A relay that fails is found out, and told of, when the remote is dialled.
    const count = await collectMail(context, here, address).catch(ignoringMailFaults(0));
    added.set(remote.name, count);
  }
  return added;
}

/** How an exchange ended, as far as mail is concerned. */
interface Met {
  readonly received: number;
  readonly error: WnError | null;
}

/** The device wasn't there: what it lacks, as far as is known, waits in its mailbox. */
export type Mailed<End> = End & { readonly mailbox?: true };

/** Leaves mail where a device wasn't there; an end that mail made good is none any more. */
export async function mailAfter<End extends Met>(
  context: Context,
  here: Repository,
  remote: Remote,
  mode: SyncMode,
  end: End,
  mail: number,
): Promise<Mailed<End>> {
  const counted = { ...end, received: end.received + mail };
  const address = relayOf(here, remote);
  if (address === null || !isUnavailable(end.error)) return counted;
  const left =
    mode !== 'pull' &&
    (await leaveMail(context, here, remote, address).catch(ignoringMailFaults(false)));
  if (left) return { ...counted, error: null, mailbox: true };
  return mail > 0 ? { ...counted, error: null } : counted;
}

/** Null for a remote that isn't behind a relay. What is wrong with an address, the exchange tells. */
function relayOf({ location }: Repository, { url }: Remote): RelayAddress | null {
  try {
    const address = parseAddress(url, location.root);
    return address.kind === 'relay' ? address : null;
  } catch (error) {
    if (error instanceof WnError) return null;
    throw error;
  }
}

/** A mailbox that is full, or too small, leaves everything as it would be without one. */
function ignoringMailFaults<T>(instead: T): (error: unknown) => T {
  return (error) => {
    const mine = error instanceof WnError && MAIL_FAULTS.has(error.code);
    if (!mine) throw error;
    return instead;
  };
}

const MAIL_FAULTS: ReadonlySet<string> = new Set(['unreachable', 'too_large']);
